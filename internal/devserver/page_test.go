package devserver_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"s3resizer/internal/devserver"
)

func TestAPageBesideTheBuckets(t *testing.T) {
	e := start(t, devserver.Options{AccessKey: "key", SecretKey: "secret", Page: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "page %s", r.URL.Path)
	})})
	e.put(t, "photos", "-/a.html", "<script>")
	for _, c := range []struct {
		name, path string
		header     http.Header
		status     int
		body       string
	}{
		{"the page", "/-/", nil, 200, "page /-/"},
		{"what is under it", "/-/a/b", nil, 200, "page /-/a/b"},
		{"under another site's name", "/-/", http.Header{"Host": {"evil.example"}}, 403, ""},
		{"for another site's script", "/-/a", http.Header{"Origin": {"https://evil.example"}}, 403, ""},
		{"for its own script", "/-/a", http.Header{"Origin": {e.url}}, 200, "page /-/a"},
		{"a browser at the root", "/", http.Header{"Accept": {"text/html,*/*;q=0.8"}}, 302, ""},
		{"curl at the root", "/?from=mail", nil, 302, ""},
		{"a list of buckets, signed", "/", http.Header{"Authorization": {"AWS4-HMAC-SHA256 Credential=?"}}, 400, ""},
		{"a list of buckets by a signed URL", "/?X-Amz-Signature=0&X-Amz-Algorithm=AWS4-HMAC-SHA256", nil, 400, ""},
		{"a key that looks like it", "/photos/-/a.html", nil, 403, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _ := http.NewRequest(http.MethodGet, e.url+c.path, nil)
			for name := range c.header {
				r.Header.Set(name, c.header.Get(name))
			}
			if host := c.header.Get("Host"); host != "" {
				r.Host = host
			}
			res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != c.status || c.body != "" && string(body) != c.body {
				t.Errorf("answered %s, %q; want %d, %q", res.Status, body, c.status, c.body)
			}
			if c.status == 302 && res.Header.Get("Location") != devserver.PagePath {
				t.Errorf("sent to %s", res.Header.Get("Location"))
			}
		})
	}
	if list, err := e.ListBuckets(t.Context(), nil); err != nil || len(list.Buckets) != 2 {
		t.Errorf("a signed list of buckets: %v, %v", list, err)
	}
}

// What lies in a bucket is of the page's origin: a script in it would act in the page's name.
func TestObjectsActForNobody(t *testing.T) {
	for _, beside := range []bool{true, false} {
		o := devserver.Options{}
		if beside {
			o.Page = http.NotFoundHandler()
		}
		e := start(t, o)
		e.put(t, "quiet", "a.html", "<script>fetch('/-/settings')</script>")
		res, err := http.Get(e.url + "/quiet/a.html")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if sandboxed := res.Header.Get("Content-Security-Policy") == "sandbox; default-src 'none'"; sandboxed != beside {
			t.Errorf("with a page %t: policy %q", beside, res.Header.Get("Content-Security-Policy"))
		}
	}
}

func TestAnOpenPageDoesNotHoldUpShutdown(t *testing.T) {
	opened := make(chan struct{})
	server, err := devserver.New(devserver.Options{Page: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		close(opened)
		<-r.Context().Done()
	})})
	if err != nil {
		t.Fatal(err)
	}
	url, err := server.Listen()
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve() }()
	res, err := http.Get(url + devserver.PagePath + "news")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	<-opened
	began := time.Now()
	if err := server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
}
