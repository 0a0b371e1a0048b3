package gallery

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"s3resizer/internal/naming"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

//go:embed page
var page embed.FS

// policy lets the page load what this endpoint serves, and nothing else; what it shows before an upload is blob: and data:.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const maxRequest = 64 << 10 // bytes of JSON

func (g *Gallery) routes() http.Handler {
	files, _ := fs.Sub(page, "page") // its name is a constant
	mux := http.NewServeMux()
	mux.Handle("GET /-/", http.StripPrefix("/-/", http.FileServerFS(files)))
	mux.HandleFunc("GET /-/news", g.news)
	mux.HandleFunc("POST /-/uploads", g.sign(http.MethodPut))
	mux.HandleFunc("POST /-/deletions", g.sign(http.MethodDelete))
	mux.HandleFunc("PUT /-/settings", g.settings)
	mux.HandleFunc("POST /-/samples", g.samples)
	return mux
}

// ServeHTTP answers the page's requests. Those from other sites have been refused where they say so in Origin; images
// and links say it in Sec-Fetch-Site alone. To follow a link to the page itself is all that another site may do.
func (g *Gallery) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		if r.URL.Path != "/-/" {
			http.Error(w, "This page is for this endpoint's own.", http.StatusForbidden)
			return
		}
	}
	// Not by the mux, which takes "a//b" for "a/b": those are two keys.
	if object, ours := strings.CutPrefix(r.URL.Path, "/-/object/"); ours && r.Method == http.MethodGet {
		bucket, key, _ := strings.Cut(object, "/")
		g.object(w, r, bucket, key)
		return
	}
	g.mux.ServeHTTP(w, r)
}

// pace is the shortest time between two pieces of news: what changes in between is sent once. Each new card moves all
// others, and to draw them more often takes more time than pictures do.
const pace = 100 * time.Millisecond

// How many cards a piece of news has at most: the first what fits a window, so that it is drawn at once, and each further
// one as many as a page reads within a frame.
const (
	firstBatch = 60
	batch      = 250
)

// news is a stream of server-sent events: everything first, then what changes.
func (g *Gallery) news(w http.ResponseWriter, r *http.Request) {
	watcher := g.deck.watch()
	defer g.deck.leave(watcher)
	w.Header().Set("Content-Type", "text/event-stream")
	answer := http.NewResponseController(w)
	idle := time.NewTicker(2 * time.Second) // memory changes, and a connection that is gone is noticed
	defer idle.Stop()
	_, _ = fmt.Fprint(w, "retry: 500\n\n")
	for most := firstBatch; ; most = batch {
		select {
		case <-r.Context().Done():
			return
		case <-watcher.woken:
		case <-idle.C:
		}
		data, err := json.Marshal(g.deck.take(watcher, most))
		if err != nil {
			return
		}
		if _, err := fmt.Fprintf(w, "data: %s\n\n", data); err != nil {
			return
		}
		if err := answer.Flush(); err != nil {
			return
		}
		time.Sleep(pace)
	}
}

// How long presigned URLs hold. A browser keeps the redirect to an object, and with it the picture, for less.
const (
	urlTime   = 2 * time.Hour
	cacheTime = time.Hour
)

// object sends the browser to an object, by a presigned URL.
func (g *Gallery) object(w http.ResponseWriter, r *http.Request, bucket, key string) {
	url, err := g.presign(r, http.MethodGet, bucket, key)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if r.URL.Query().Get("v") != "" { // this very upload, and not whatever is there by then
		w.Header().Set("Cache-Control", fmt.Sprintf("private, max-age=%d", int(cacheTime.Seconds())))
	}
	http.Redirect(w, r, url, http.StatusTemporaryRedirect)
}

// sign answers with a presigned URL to PUT a picture to, or to DELETE it by, as an app's own server would.
func (g *Gallery) sign(method string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var wanted struct{ Key string }
		if !read(w, r, &wanted) {
			return
		}
		if wanted.Key == "" {
			http.Error(w, `want {"key":"…"}`, http.StatusBadRequest)
			return
		}
		url, err := g.presign(r, method, g.o.Bucket, wanted.Key)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"url": url}) // who has gone needs no answer
	}
}

// presign signs for the name by which this request reached the endpoint, which was checked.
func (g *Gallery) presign(r *http.Request, method, bucket, key string) (string, error) {
	target := url.URL{Scheme: "http", Host: r.Host, Path: "/" + bucket + "/" + key, RawPath: "/" + bucket + "/" + naming.Percent(key)}
	query := url.Values{"X-Amz-Expires": {strconv.Itoa(int(urlTime.Seconds()))}}
	if version := r.URL.Query().Get("v"); version != "" {
		query.Set("v", version) // S3 takes no notice; to the browser, it is another picture
	}
	target.RawQuery = query.Encode()
	request, err := http.NewRequest(method, target.String(), nil)
	if err != nil {
		return "", err
	}
	credentials, err := g.o.Access.Credentials.Retrieve(r.Context())
	if err != nil {
		return "", err
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }) // S3 alone escapes once
	signed, _, err := signer.PresignHTTP(r.Context(), credentials, request, "UNSIGNED-PAYLOAD", "s3", g.o.Access.Region, time.Now())
	return signed, err
}

// settings changes sizes, formats and quality, until the next start.
func (g *Gallery) settings(w http.ResponseWriter, r *http.Request) {
	var to changeable
	if !read(w, r, &to) {
		return
	}
	if err := g.change(to); err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// samples uploads the pictures for those who have none at hand. Whoever asked need not wait.
func (g *Gallery) samples(w http.ResponseWriter, r *http.Request) {
	if g.o.Samples == nil {
		http.NotFound(w, r)
		return
	}
	if err := g.o.Samples(context.WithoutCancel(r.Context())); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// read reads a request's JSON, or answers that there is none. The type is asked for because a form of another site could
// not send it.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	if r.Header.Get("Content-Type") != "application/json" {
		http.Error(w, "want application/json", http.StatusUnsupportedMediaType)
		return false
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(into); err != nil {
		http.Error(w, "want JSON: "+err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}
