package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"image"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// page is what the browser loads: it asks for the next file, draws it, and sends its pixels.
//
//go:embed page.html
var page []byte

// browser is Chromium, with a page of ours that shows one file after the other.
type browser struct {
	stop  func()
	asked int
	next  chan task // for the page
	shown chan seen
}

type task struct {
	number int
	path   string
}

// seen is what the page made of a task.
type seen struct {
	number  int
	picture *image.NRGBA
	err     error
}

// patience is how long the browser may take for one picture.
const patience = time.Minute

// startBrowser starts Chromium, the program named by CHROMIUM or the first that is there.
func startBrowser(ctx context.Context) (*browser, error) {
	program := os.Getenv("CHROMIUM")
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil && program == "" {
			program = found
		}
	}
	if program == "" {
		return nil, errors.New("chromium is not installed")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	profile, err := os.MkdirTemp("", "field")
	if err != nil {
		return nil, err
	}
	b := &browser{next: make(chan task), shown: make(chan seen, 1)}
	server := &http.Server{Handler: b.handler(), ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // until it is closed
	ctx, cancel := context.WithCancel(ctx)
	command := exec.CommandContext(ctx, program, "--headless=new", "--remote-debugging-port=0", "--no-sandbox", "--disable-gpu", "--force-color-profile=srgb",
		"--user-data-dir="+profile, "http://"+listener.Addr().String())
	b.stop = func() {
		cancel()
		_ = command.Wait() // it was killed
		_ = server.Close()
		_ = os.RemoveAll(profile)
	}
	if err := command.Start(); err != nil {
		b.stop()
		return nil, err
	}
	return b, nil
}

func (b *browser) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(page) })
	mux.HandleFunc("GET /next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case t := <-b.next:
			w.Header().Set("Content-Type", "image/*") // browsers, too, tell pictures by their bytes
			w.Header().Set("Cache-Control", "no-store")
			w.Header().Set("Number", strconv.Itoa(t.number))
			http.ServeFile(w, r, t.path)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST /shown/{number}/{width}/{height}", func(_ http.ResponseWriter, r *http.Request) {
		var number, width, height int
		_, err := fmt.Sscan(r.PathValue("number")+" "+r.PathValue("width")+" "+r.PathValue("height"), &number, &width, &height)
		samples, readErr := io.ReadAll(r.Body)
		if err = errors.Join(err, readErr); err == nil && len(samples) != 4*width*height {
			err = fmt.Errorf("%d bytes for %d × %d pixels", len(samples), width, height)
		}
		b.shown <- seen{number, &image.NRGBA{Pix: samples, Stride: 4 * width, Rect: image.Rect(0, 0, width, height)}, err}
	})
	mux.HandleFunc("POST /refused/{number}", func(_ http.ResponseWriter, r *http.Request) {
		reason, _ := io.ReadAll(r.Body)
		number, _ := strconv.Atoi(r.PathValue("number")) // ours
		b.shown <- seen{number: number, err: errors.New(string(reason))}
	})
	return mux
}

func (b *browser) show(path string) (*image.NRGBA, error) {
	if slices.Contains([]string{".tif", ".tiff", ".heic", ".heif"}, extension(path)) { // which Chromium does not show
		return nil, errNotAsked
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	b.asked++
	late, next := time.After(patience), b.next
	for {
		select {
		case next <- task{b.asked, absolute}:
			next = nil
		case s := <-b.shown:
			if s.number == b.asked { // not one that came too late
				return s.picture, s.err
			}
		case <-late:
			return nil, fmt.Errorf("not shown within %s", patience)
		}
	}
}
