package gallery_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"s3resizer/internal/config"
	"s3resizer/internal/devserver"
	"s3resizer/internal/gallery"
	"s3resizer/internal/report"
)

func TestACardTellsWhatBecameOfAnUpload(t *testing.T) {
	e := start(t, gallery.Options{})
	e.put(t, "good.jpg", picture(t, 2000, 1000))
	e.put(t, "bad.jpg", []byte("no picture at all"))
	e.watch(t, func(cards map[string]card, _ news) bool {
		good, bad := cards["good.jpg"], cards["bad.jpg"]
		if good.State != "done" || bad.State != "done" {
			return false
		}
		if good.Result.Status != "resized" || len(good.Renditions) != 3 || len(good.Steps) != 8 || len(good.Reference) != 7 {
			t.Errorf("the good one: %+v", good)
		}
		if bad.Result.Status != "rejected" || bad.Result.Class != "unsupported" || bad.Reference != nil {
			t.Errorf("the bad one: %+v", bad)
		}
		return true
	})
}

func TestACardTellsOfAFailure(t *testing.T) {
	e := start(t, gallery.Options{Environ: []string{"RESIZE_DEST_BUCKET=elsewhere"}})
	e.put(t, "a.jpg", picture(t, 500, 500))
	e.watch(t, func(cards map[string]card, _ news) bool {
		c := cards["a.jpg"]
		if c.State != "failed" {
			return false
		}
		if c.Failure.Class != "no-such-bucket" || !strings.Contains(c.Failure.Error, "elsewhere") {
			t.Errorf("%+v", c.Failure)
		}
		return true
	})
}

func TestWhatIsGoneHasNoCard(t *testing.T) {
	for _, c := range []struct {
		setting string
		left    int // a picture has three renditions and a record
	}{{"on", 4}, {"off", 8}} {
		t.Run("RESIZE_DELETE="+c.setting, func(t *testing.T) {
			e := start(t, gallery.Options{Environ: []string{"RESIZE_DELETE=" + c.setting}})
			e.put(t, "a b.jpg", picture(t, 500, 250))
			e.put(t, "b.jpg", picture(t, 500, 250))
			e.watch(t, allDone("a b.jpg", "b.jpg"))
			_, answer := e.ask(t, "POST", "/-/deletions", `{"key":"a b.jpg"}`)
			var to struct{ URL string }
			if err := json.Unmarshal([]byte(answer), &to); err != nil {
				t.Fatalf("%v: %s", err, answer)
			}
			by, err := http.NewRequest(http.MethodDelete, to.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			if res, err := http.DefaultClient.Do(by); err != nil || res.StatusCode != http.StatusNoContent {
				t.Fatalf("DELETE: %v, %v", res, err)
			}
			e.watch(t, allDone("b.jpg"))
			left, _, err := e.List(t.Context(), "photos-resized", "", "")
			if err != nil {
				t.Fatal(err)
			}
			if len(left) != c.left {
				t.Errorf("what is left: %+v", left)
			}
		})
	}
}

func TestAFolderMarkerHasNoCard(t *testing.T) {
	said := make(chan string, 2)
	e := start(t, gallery.Options{Told: func(r report.Report, _ error) { said <- r.Results[0].Reason }})
	e.put(t, "holiday/", nil)
	if reason := <-said; reason != "a folder marker" {
		t.Errorf("the marker: %s", reason)
	}
	e.put(t, "holiday/a.jpg", picture(t, 500, 250))
	e.watch(t, allDone("holiday/a.jpg"))
}

func TestThePageUploadsAndSeesByPresignedURLs(t *testing.T) {
	e := start(t, gallery.Options{})
	for _, key := range []string{"a.jpg", "여행/제주 바다.jpg", "a+b & c%20d'e(f)!*,;=~$@:.jpg", "-/x.jpg", "a/b.jpg", "a//b.jpg"} {
		t.Run(key, func(t *testing.T) {
			body, _ := json.Marshal(map[string]string{"key": key})
			res, answer := e.ask(t, "POST", "/-/uploads", string(body))
			var to struct{ URL string }
			if err := json.Unmarshal([]byte(answer), &to); err != nil || !strings.HasPrefix(to.URL, e.url+"/photos/") {
				t.Fatalf("%s: %s", res.Status, answer)
			}
			data := picture(t, 400+len(key), 300) // of each key another one
			put, err := http.NewRequest(http.MethodPut, to.URL, bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			put.Header.Set("Content-Type", "image/jpeg")
			if res, err := http.DefaultClient.Do(put); err != nil || res.StatusCode != http.StatusOK {
				t.Fatalf("PUT: %v, %v", res, err)
			}
			if info, err := e.Head(t.Context(), "photos", key); err != nil || info.Size != int64(len(data)) || info.ContentType != "image/jpeg" {
				t.Errorf("stored is %+v, %v", info, err)
			}
			if res, seen := e.ask(t, "GET", "/-/object/photos/"+escaped(key)+"?v=1", ""); res.StatusCode != http.StatusOK || seen != string(data) {
				t.Errorf("GET: %s, %d bytes", res.Status, len(seen))
			}
		})
	}
}

// escaped is what a browser's encodeURIComponent makes of each part of a key.
func escaped(key string) string {
	var b strings.Builder
	for _, c := range []byte(key) {
		if strings.ContainsRune("-_.!~*'()/ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", rune(c)) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func TestWhatAnotherSiteMayDo(t *testing.T) {
	e := start(t, gallery.Options{Samples: nil})
	e.put(t, "a.jpg", picture(t, 400, 300))
	for _, c := range []struct {
		name, method, path string
		header             []string
		want               int
	}{
		{"a link to the page", "GET", "/-/", []string{"Sec-Fetch-Site", "cross-site"}, 200},
		{"its script", "GET", "/-/gallery.js", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"a picture of ours in its page", "GET", "/-/object/photos/a.jpg", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"on another port of this machine", "GET", "/-/news", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"a form of an old browser", "POST", "/-/uploads", []string{"Content-Type", "text/plain"}, 415},
		{"a script with its origin", "POST", "/-/uploads", []string{"Origin", "https://evil.example"}, 403},
		{"our own page", "GET", "/-/object/photos/a.jpg", []string{"Sec-Fetch-Site", "same-origin"}, 200},
		{"an address typed in", "GET", "/-/gallery.js", []string{"Sec-Fetch-Site", "none"}, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			if res, answer := e.ask(t, c.method, c.path, `{"key":"x"}`, c.header...); res.StatusCode != c.want {
				t.Errorf("%s, want %d: %.100s", res.Status, c.want, answer)
			}
		})
	}
}

func TestThePageLoadsNothingFromElsewhere(t *testing.T) {
	e := start(t, gallery.Options{})
	res, html := e.ask(t, "GET", "/-/", "")
	policy := res.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self';", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy lacks %q: %s", want, policy)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is %s", policy)
	}
	files, err := os.ReadDir("page")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		path := strings.TrimSuffix(file.Name(), "index.html") // to which the server sends on
		res, text := e.ask(t, "GET", "/-/"+path, "")
		text = strings.NewReplacer("http://www.w3.org/2000/svg", "", "https://evanw.github.io/thumbhash/", "").Replace(text) // a name, a source
		if res.StatusCode != http.StatusOK || strings.Contains(text, "http://") || strings.Contains(text, "https://") {
			t.Errorf("%q: %s", path, res.Status)
		}
	}
	if strings.Contains(html, " style=") || strings.Contains(html, " on") && strings.Contains(html, "onclick") {
		t.Error("the page has inline styles or handlers, which the policy forbids")
	}
}

func TestChangedSettings(t *testing.T) {
	e := start(t, gallery.Options{Environ: []string{"RESIZE_SIZES=only=100", "RESIZE_BACKGROUND=black"}})
	e.put(t, "a.jpg", picture(t, 500, 250))
	done := func(keys ...string) func(map[string]card, news) bool {
		return func(cards map[string]card, _ news) bool {
			c := cards["a.jpg"]
			if c.State != "done" || len(c.Renditions) != len(keys) {
				return false
			}
			for i, key := range keys {
				if c.Renditions[i].Key != key {
					return false
				}
			}
			return true
		}
	}
	e.watch(t, done("only-a.jpg"))

	t.Run("wrong ones are told of, and nothing changes", func(t *testing.T) {
		res, answer := e.ask(t, "PUT", "/-/settings", `{"sizes":"a=b","formats":"bmp","quality":"101"}`)
		for _, want := range []string{"RESIZE_SIZES", "RESIZE_FORMATS", "RESIZE_QUALITY", "from 1 to 100"} {
			if res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(answer, want) {
				t.Errorf("%s, without %q: %s", res.Status, want, answer)
			}
		}
		e.watch(t, func(_ map[string]card, n news) bool { return n.About.Settings["RESIZE_SIZES"] == "only=100" })
	})
	t.Run("good ones are in force, and what is shown is done again", func(t *testing.T) {
		if res, answer := e.ask(t, "PUT", "/-/settings", `{"sizes":"s=50,m=200","formats":"source,webp","quality":"70"}`); res.StatusCode != http.StatusNoContent {
			t.Fatalf("%s: %s", res.Status, answer)
		}
		e.watch(t, done("s-a.jpg", "s-a.jpg.webp", "m-a.jpg", "m-a.jpg.webp"))
		e.watch(t, func(_ map[string]card, n news) bool {
			return n.About.Settings["RESIZE_SIZES"] == "s=50,m=200" && n.About.Settings["RESIZE_BACKGROUND"] == "black" && n.About.Settings["RESIZE_QUALITY"] == "70"
		})
	})
	t.Run("empty ones are the defaults", func(t *testing.T) {
		if res, answer := e.ask(t, "PUT", "/-/settings", `{"sizes":"","formats":"","quality":""}`); res.StatusCode != http.StatusNoContent {
			t.Fatalf("%s: %s", res.Status, answer)
		}
		e.watch(t, done("small-a.jpg", "medium-a.jpg", "large-a.jpg"))
	})
}

// An upload that was stored, and whose event went with the process, has no record of it.
func TestResumeShowsWhatIsThereAndDoesWhatIsNot(t *testing.T) {
	e := start(t, gallery.Options{})
	e.put(t, "done.jpg", picture(t, 500, 250))
	e.put(t, "rejected.jpg", []byte("no picture"))
	e.put(t, "overwritten.jpg", picture(t, 500, 250))
	e.watch(t, allDone("done.jpg", "rejected.jpg", "overwritten.jpg"))

	e.deaf.Store(true)
	e.put(t, "overwritten.jpg", picture(t, 600, 300))
	e.put(t, "raw/skipped.jpg", picture(t, 600, 300))

	// The same buckets, and a gallery that knows nothing.
	settings, err := config.Load([]string{`RESIZE_PROFILES=[{"prefix":"raw/","skip":true}]`})
	if err != nil {
		t.Fatal(err)
	}
	var did []string
	again := gallery.New(gallery.Options{
		Bucket: "photos", Store: e.Client, Access: devserver.ClientConfig(e.url, "us-east-1", "key", "secret"), Settings: settings,
		Told: func(r report.Report, err error) {
			did = append(did, fmt.Sprint(r.Results[0].Source.Key, " ", r.Results[0].Status, err))
		},
	})
	if err := again.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := e.Gallery
	e.Gallery = again // whose news these are
	e.watch(t, func(cards map[string]card, n news) bool {
		c := cards["done.jpg"]
		if c.Result != nil && (c.Result.Status != "resized" || c.Result.Timings == nil || len(c.Steps) != 0) {
			t.Errorf("restored is %+v", c)
		}
		return allDone("done.jpg", "rejected.jpg", "overwritten.jpg")(cards, n)
	})
	e.Gallery = first
	again.Close()
	if fmt.Sprint(did) != "[overwritten.jpg resized<nil>]" {
		t.Errorf("done again: %q", did)
	}
}
