package s3model

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// through serves an S3 of one handler through a model.
func through(t *testing.T, m Model, s3 http.HandlerFunc) (*Proxy, *http.Client) {
	t.Helper()
	behind := httptest.NewServer(s3)
	t.Cleanup(behind.Close)
	proxy, err := Start(behind.URL, m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}}
	t.Cleanup(client.CloseIdleConnections)
	return proxy, client
}

func send(t *testing.T, client *http.Client, method, url string, body []byte) (firstByte, all time.Duration) {
	t.Helper()
	request, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	firstByte = time.Since(start)
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return firstByte, time.Since(start)
}

// between allows for a machine that is busy.
func between(t *testing.T, what string, got, least time.Duration) {
	t.Helper()
	if most := least*3/2 + 20*time.Millisecond; got < least*97/100 || got > most {
		t.Errorf("%s took %v, want %v to %v", what, got, least, most)
	}
}

const megabytes = 15

func TestLatencyAndBandwidthOfADownload(t *testing.T) {
	object := make([]byte, megabytes*1_000_000)
	proxy, client := through(t, InRegion, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(object) })
	for range 2 { // a connection that is kept behaves like a new one
		first, all := send(t, client, http.MethodGet, proxy.URL+"/bucket/key", nil)
		between(t, "the first byte", first, 20*time.Millisecond)
		between(t, "all of it", all, 20*time.Millisecond+megabytes*time.Second/75)
	}
}

func TestLatencyAndBandwidthOfAnUpload(t *testing.T) {
	proxy, client := through(t, InRegion, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	for range 2 {
		_, all := send(t, client, http.MethodPut, proxy.URL+"/bucket/key", make([]byte, megabytes*1_000_000))
		between(t, "the answer", all, 20*time.Millisecond+megabytes*time.Second/75)
	}
}

func TestConnectionsDoNotShareTheirBandwidth(t *testing.T) {
	object := make([]byte, megabytes*1_000_000)
	proxy, client := through(t, InRegion, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(object) })
	took := make(chan time.Duration)
	for range 2 {
		go func() {
			_, all := send(t, client, http.MethodGet, proxy.URL+"/bucket/key", nil)
			took <- all
		}()
	}
	for range 2 {
		between(t, "one of two", <-took, 20*time.Millisecond+megabytes*time.Second/75)
	}
}

func TestTheS3sOwnTimeIsHiddenInTheLatency(t *testing.T) {
	proxy, client := through(t, InRegion, func(http.ResponseWriter, *http.Request) { time.Sleep(15 * time.Millisecond) })
	first, _ := send(t, client, http.MethodGet, proxy.URL+"/bucket/key", nil)
	between(t, "the first byte", first, 20*time.Millisecond)
}

func TestRequestsPassUnchangedAndAreNoted(t *testing.T) {
	var host, path, encoding string
	proxy, client := through(t, Model{}, func(w http.ResponseWriter, r *http.Request) {
		host, path, encoding = r.Host, r.URL.EscapedPath(), r.Header.Get("Accept-Encoding")
		w.WriteHeader(http.StatusNotFound)
	})
	const key = "/bucket/%EC%97%AC%ED%96%89/a%20b%2Bc%2Fd.jpg"
	request, err := http.NewRequest(http.MethodGet, proxy.URL+key, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", "identity")
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if "http://"+host != proxy.URL || path != key || encoding != "identity" {
		t.Errorf("host %s, path %s, Accept-Encoding %q", host, path, encoding)
	}
	seen := proxy.Take()
	for len(seen) == 0 { // it is noted just after it was answered
		time.Sleep(time.Millisecond)
		seen = proxy.Take()
	}
	if len(seen) != 1 || seen[0].Method != http.MethodGet || !strings.HasSuffix(seen[0].Path, "/a b+c/d.jpg") || seen[0].Status != 404 || !seen[0].End.After(seen[0].Start) {
		t.Errorf("noted %+v", seen)
	}
	if again := proxy.Take(); len(again) != 0 {
		t.Errorf("noted twice: %+v", again)
	}
}
