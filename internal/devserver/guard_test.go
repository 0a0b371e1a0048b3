package devserver_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"s3resizer/internal/devserver"
)

func TestHostAndOrigin(t *testing.T) {
	server, err := devserver.New(devserver.Options{Addr: "dev.box:9000"})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(server)
	defer web.Close()
	own := strings.TrimPrefix(web.URL, "http://")

	for _, c := range []struct {
		name, host, origin string
		want               int
	}{
		{"its own address", own, "", 200},
		{"localhost on any port", "localhost:1234", "", 200},
		{"localhost in capitals", "LOCALHOST", "", 200},
		{"IPv6 loopback", "[::1]:9000", "", 200},
		{"the address it was told to listen on", "dev.box:9000", "", 200},
		{"a rebound domain", "evil.example:9000", "", 403},
		{"a domain that begins like it", "localhost.evil.example", "", 403},
		{"a bucket in the host", "photos.localhost:9000", "", 403},
		{"another machine's address", "192.0.2.7:9000", "", 403},
		{"its own page", own, "http://" + own, 200},
		{"a page of another site", own, "https://evil.example", 403},
		{"a page on another port", own, "http://127.0.0.1:1", 403},
		{"a sandboxed page", own, "null", 403},
	} {
		for _, method := range []string{http.MethodGet, http.MethodOptions} {
			if method == http.MethodOptions && c.origin == "" {
				continue // is no preflight
			}
			t.Run(method+" "+c.name, func(t *testing.T) {
				r, _ := http.NewRequest(method, web.URL, nil)
				r.Host = c.host
				if c.origin != "" {
					r.Header.Set("Origin", c.origin)
					r.Header.Set("Access-Control-Request-Method", "PUT")
				}
				res, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				body, _ := io.ReadAll(res.Body)
				if res.StatusCode != c.want {
					t.Errorf("answered %s, want %d: %s", res.Status, c.want, body)
				}
				if c.want == 403 && !strings.Contains(string(body), "<Code>AccessDenied</Code>") {
					t.Errorf("body is no S3 error: %s", body)
				}
				for name := range res.Header {
					if strings.HasPrefix(name, "Access-Control-") {
						t.Errorf("sent %s: %s", name, res.Header.Get(name))
					}
				}
			})
		}
	}
}

// An answer without a body is sent by the server after the handler returned;
// gofakes3's header must be off by then, too.
func TestNoAnswerAllowsForeignOrigins(t *testing.T) {
	e := start(t, devserver.Options{})
	for _, method := range []string{http.MethodPut, http.MethodHead, http.MethodGet, http.MethodDelete} {
		r, _ := http.NewRequest(method, e.url+"/quiet/k", strings.NewReader("x"))
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode >= 300 || res.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s answered %s with Access-Control-Allow-Origin %q", method, res.Status, res.Header.Get("Access-Control-Allow-Origin"))
		}
	}
}

func TestExpectedBucketOwner(t *testing.T) {
	put := func(e *endpoint, owner, sourceOwner *string) error {
		_, err := e.CopyObject(t.Context(), &s3.CopyObjectInput{
			Bucket: aws.String("photos"), Key: aws.String("k"), CopySource: aws.String("quiet/k"),
			ExpectedBucketOwner: owner, ExpectedSourceBucketOwner: sourceOwner,
		})
		return err
	}
	us, them := aws.String("123456789012"), aws.String("210987654321")

	e := start(t, devserver.Options{Owner: *us})
	e.put(t, "quiet", "k", "x")
	for _, c := range []struct {
		name          string
		owner, source *string
		want          string
	}{
		{"nobody", nil, nil, ""},
		{"us", us, us, ""},
		{"them", them, nil, "AccessDenied"},
		{"them as the source's owner", us, them, "AccessDenied"},
	} {
		if err := put(e, c.owner, c.source); code(err) != c.want {
			t.Errorf("expecting %s: %v, want %q", c.name, err, c.want)
		}
	}
	if records := e.settle(t); len(records) != 2 {
		t.Errorf("told of %d objects, want the 2 that were stored", len(records))
	}

	open := start(t, devserver.Options{})
	open.put(t, "quiet", "k", "x")
	if err := put(open, them, them); err != nil {
		t.Errorf("without an owner, the header counts: %v", err)
	}
}

func TestCredentials(t *testing.T) {
	e := start(t, devserver.Options{AccessKey: "key", SecretKey: "secret"})
	e.put(t, "quiet", "k", "x")
	presigned, err := s3.NewPresignClient(e.Client).PresignGetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("quiet"), Key: aws.String("k")})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, url string
		want      int
	}{
		{"unsigned", e.url + "/quiet/k", 403},
		{"presigned", presigned.URL, 200},
	} {
		res, err := http.Get(c.url)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != c.want {
			t.Errorf("%s: %s, want %d", c.name, res.Status, c.want)
		}
	}
	_, err = client(e.url, "key", "wrong").GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("quiet"), Key: aws.String("k")})
	if code(err) != "SignatureDoesNotMatch" {
		t.Errorf("wrong secret: %v, want SignatureDoesNotMatch", err)
	}
}
