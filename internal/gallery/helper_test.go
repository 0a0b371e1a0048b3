package gallery_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"s3resizer/internal/config"
	"s3resizer/internal/devserver"
	"s3resizer/internal/gallery"
	"s3resizer/resize"
	"s3resizer/s3io"
)

func TestMain(m *testing.M) {
	if err := resize.Startup(2); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// endpoint is an S3 with the gallery beside it.
type endpoint struct {
	*s3io.Client
	*gallery.Gallery
	url  string
	s3   *devserver.S3
	deaf atomic.Bool // events are lost
}

func start(t *testing.T, o gallery.Options) *endpoint {
	t.Helper()
	e := &endpoint{}
	settings, err := config.Load(o.Environ)
	if err != nil {
		t.Fatal(err)
	}
	e.s3, err = devserver.New(devserver.Options{
		AccessKey: "key", SecretKey: "secret", Buckets: []string{"photos", "photos-resized"}, Notify: []string{"photos"}, Removals: true,
		Page: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { e.ServeHTTP(w, r) }),
		OnEvent: func(event events.S3Event) {
			if e.deaf.Load() {
				return
			}
			raw, _ := devserver.EventJSON(event)
			e.Event(event, raw)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if e.url, err = e.s3.Listen(); err != nil {
		t.Fatal(err)
	}
	o.Bucket, o.Settings, o.Access = "photos", settings, devserver.ClientConfig(e.url, "us-east-1", "key", "secret")
	o.Store = s3io.New(o.Access, s3io.Options{})
	e.Client, e.Gallery = o.Store, gallery.New(o)
	served := make(chan error, 1)
	go func() { served <- e.s3.Serve() }()
	t.Cleanup(func() {
		e.Close()
		if err := e.s3.Shutdown(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
		<-served
	})
	return e
}

func picture(t *testing.T, width, height int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, image.NewGray(image.Rect(0, 0, width, height)), nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func (e *endpoint) ask(t *testing.T, method, path, body string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, e.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(answer)
}

// news is what tests look at of what a page is sent.
type news struct {
	About *struct{ Settings map[string]string }
	Cards []card
	Gone  []string
}

type card struct {
	Key, State string
	Seq        int
	Renditions []struct{ Key string }
	Steps      []struct{ Stage, Size string }
	Reference  []struct{ Start, End float64 }
	Result     *struct {
		Status, Class string
		Renditions    []struct{ Key string }
		Timings       *struct{ Total float64 }
	}
	Failure *struct{ Class, Error string }
}

// watch follows the news until the test is content with the cards.
func (e *endpoint) watch(t *testing.T, content func(cards map[string]card, n news) bool) {
	t.Helper()
	res, err := http.Get(e.url + "/-/news")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	late := time.AfterFunc(30*time.Second, func() { res.Body.Close() })
	defer late.Stop()
	cards := map[string]card{}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		data, isData := strings.CutPrefix(lines.Text(), "data: ")
		if !isData {
			continue
		}
		var n news
		if err := json.Unmarshal([]byte(data), &n); err != nil {
			t.Fatal(err)
		}
		for _, c := range n.Cards {
			if c.Result != nil {
				c.Renditions = c.Result.Renditions
			}
			cards[c.Key] = c
		}
		for _, key := range n.Gone {
			delete(cards, key)
		}
		if content(cards, n) {
			return
		}
	}
	t.Fatalf("the news ended with %+v", cards)
}

// allDone is content when there are these cards and no others, and nothing is to be done for them.
func allDone(keys ...string) func(map[string]card, news) bool {
	return func(cards map[string]card, _ news) bool {
		for _, key := range keys {
			if cards[key].State != "done" {
				return false
			}
		}
		return len(cards) == len(keys)
	}
}

func (e *endpoint) put(t *testing.T, key string, data []byte) {
	t.Helper()
	if _, err := e.Put(t.Context(), s3io.Upload{Bucket: "photos", Key: key, ContentType: "image/jpeg", Data: data}); err != nil {
		t.Fatal(err)
	}
}
