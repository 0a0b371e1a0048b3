package devserver_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"s3resizer/internal/devserver"
)

func TestRequestsOfWhichNothingComes(t *testing.T) {
	var told []string
	e := start(t, devserver.Options{AccessKey: "key", SecretKey: "secret", Buckets: []string{"photos", "quiet"}, OnNoEvent: func(r *http.Request, refused devserver.Refusal) {
		path := r.URL.Path
		if len(path) > 20 {
			path = path[:8] + "…"
		}
		told = append(told, strings.TrimSpace(r.Method+" "+path+" "+refused.Code))
	}})
	e.put(t, "photos", "k", "x") // which raises one
	e.put(t, "quiet", "k", "x")
	e.get(t, "quiet", "k")
	for _, in := range []*s3.PutObjectInput{{Bucket: aws.String("missing"), Key: aws.String("k")}, {Bucket: aws.String("photos"), Key: aws.String(strings.Repeat("k", 1025))}} {
		if _, err := e.PutObject(t.Context(), in); err == nil {
			t.Errorf("%s took it", *in.Bucket)
		}
	}
	if _, err := e.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("quiet"), Key: aws.String("missing")}); err == nil {
		t.Error("it is there")
	}
	if res, err := http.Get(e.url + "/quiet/k"); err == nil {
		res.Body.Close()
	}
	e.settle(t)
	if want := []string{"PUT /quiet/k", "PUT /missing/k NoSuchBucket", "PUT /photos/… KeyTooLongError", "GET /quiet/k AccessDenied"}; !slices.Equal(told, want) {
		t.Errorf("it told of %q, want %q", told, want)
	}
}

// What boto3 makes for an endpoint that is not AWS's was refused as if the keys were wrong.
func TestAnOldSignatureIsToldWhatWouldDo(t *testing.T) {
	e := start(t, devserver.Options{AccessKey: "key", SecretKey: "secret"})
	for name, c := range map[string]struct{ query, authorization string }{
		"presigned": {"?AWSAccessKeyId=key&Signature=abc%3D&Expires=4102444800", ""},
		"a header":  {"", "AWS key:abc="},
	} {
		r, _ := http.NewRequest(http.MethodGet, e.url+"/photos/k"+c.query, nil)
		if c.authorization != "" {
			r.Header.Set("Authorization", c.authorization)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body := make([]byte, 1000)
		n, _ := res.Body.Read(body)
		res.Body.Close()
		if text := string(body[:n]); res.StatusCode != http.StatusBadRequest || !strings.Contains(text, "<Code>InvalidRequest</Code>") || !strings.Contains(text, "s3v4") {
			t.Errorf("%s: %s, %s", name, res.Status, text)
		}
	}
}

// There is no body to ask for, and so nothing to wait for.
func TestExpectWithoutABodyIsAnsweredAtOnce(t *testing.T) {
	e := start(t, devserver.Options{})
	address := strings.TrimPrefix(e.url, "http://")
	for _, request := range []string{"PUT /photos/empty", "POST /photos/empty?uploads", "DELETE /photos/empty"} {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_ = connection.SetDeadline(time.Now().Add(10 * time.Second))
		fmt.Fprintf(connection, "%s HTTP/1.1\r\nHost: %s\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n", request, address)
		line, err := bufio.NewReader(connection).ReadString('\n')
		connection.Close()
		if err != nil || !strings.HasPrefix(line, "HTTP/1.1 20") {
			t.Errorf("%s: %q, %v", request, line, err)
		}
	}
}
