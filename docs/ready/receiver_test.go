package ready_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"s3resizer/docs/ready"
)

const token = "0123456789abcdef0123456789abcdef"

// kept is a service's store in memory, as [ready.Pictures] asks for it.
type kept struct {
	pictures map[string]ready.Picture
	told     map[string]time.Time
	changes  []string
	failures []string
	gone     bool // the record
	err      error
}

func newKept() *kept {
	return &kept{pictures: map[string]ready.Picture{}, told: map[string]time.Time{}}
}

func (k *kept) Put(_ context.Context, p ready.Picture, told time.Time) error {
	id := p.Source.Bucket + "/" + p.Source.Key
	was, known := k.pictures[id]
	if known && !told.After(k.told[id]) || k.err != nil {
		return k.err
	}
	k.pictures[id], k.told[id] = p, told
	if !known || !reflect.DeepEqual(was, p) {
		k.changes = append(k.changes, p.Status+" "+id)
	}
	return nil
}

func (k *kept) Failed(_ context.Context, class, message string) error {
	k.failures = append(k.failures, class+": "+message)
	return k.err
}

func (k *kept) Record(_ context.Context, bucket, key string) (p ready.Picture, err error) {
	if k.gone {
		return p, nil
	}
	if bucket+"/"+key != "photos-resized/.s3resizer/holiday/cat.jpg.json" {
		return p, errors.New("there is no " + bucket + "/" + key)
	}
	data, err := os.ReadFile("testdata/record.json")
	if err != nil {
		return p, err
	}
	return p, json.Unmarshal(data, &p)
}

func sample(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// post is what EventBridge does; it returns the answer's status and text.
func post(t *testing.T, r ready.Receiver, given, body string) (int, string) {
	t.Helper()
	request := httptest.NewRequest(http.MethodPost, "/picture-ready", strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	if given != "" {
		request.Header.Set("X-S3resizer-Token", given)
	}
	answer := httptest.NewRecorder()
	r.ServeHTTP(answer, request)
	text, _ := io.ReadAll(answer.Body)
	return answer.Code, string(text)
}

// tell posts samples, all of which have to be taken.
func (k *kept) tell(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if status, text := post(t, ready.Receiver{Pictures: k, Token: token}, token, sample(t, name)); status != http.StatusNoContent {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
}

func TestAResizedPictureIsKeptWithWhatAPageNeeds(t *testing.T) {
	k := newKept()
	k.tell(t, "resized")
	p := k.pictures["photos/holiday/cat.jpg"]
	if s := p.Source; p.Status != "resized" || s.ETag != "e3938bc9c283642e9d68fc882be583eb" || s.Width != 4032 || len(s.ThumbHash) < 20 || !strings.HasPrefix(s.Color, "#") {
		t.Errorf("%+v", p)
	}
	if len(p.Renditions) != 3 {
		t.Fatalf("%+v", p.Renditions)
	}
	if r := p.Renditions[2]; r.Size != "large" || r.Key != "large-holiday/cat.jpg" || r.ContentType != "image/jpeg" || r.Width != 1440 || r.Height != 1080 || r.Bytes != 201546 || r.ETag != "2b5cbe157461b77143ca73ce130b9db6" {
		t.Errorf("%+v", r)
	}
	if want := time.Date(2026, 11, 23, 9, 12, 34, 218e6, time.UTC); !k.told["photos/holiday/cat.jpg"].Equal(want) {
		t.Errorf("told at %v", k.told)
	}
}

func TestARejectedPictureIsKeptWithItsReason(t *testing.T) {
	k := newKept()
	k.tell(t, "rejected")
	if p := k.pictures["photos/holiday/broken.jpg"]; p.Status != "rejected" || p.Class != "corrupt" || p.Reason == "" || len(p.Renditions) > 0 {
		t.Errorf("%+v", p)
	}
}

func TestWhatComesTwiceOrLateChangesNothing(t *testing.T) {
	k := newKept()
	k.tell(t, "resized", "resized")
	newer := strings.NewReplacer(`"status": "resized"`, `"status": "gone"`, "T09:12:34.218Z", "T10:00:00.001Z").Replace(sample(t, "resized"))
	if status, text := post(t, ready.Receiver{Pictures: k, Token: token}, token, newer); status != http.StatusNoContent {
		t.Errorf("%d %s", status, text)
	}
	k.tell(t, "resized")
	if want := []string{"resized photos/holiday/cat.jpg", "gone photos/holiday/cat.jpg"}; !slices.Equal(k.changes, want) {
		t.Errorf("%q", k.changes)
	}
}

func TestWhatBringsNothingNewIsPassedOver(t *testing.T) {
	k := newKept()
	k.tell(t, "superseded")
	if status, text := post(t, ready.Receiver{Pictures: k, Token: token}, token, `{"detail-type":"Scheduled Event","source":"aws.events","detail":{}}`); status != http.StatusNoContent {
		t.Errorf("%d %s", status, text)
	}
	if len(k.changes)+len(k.failures) > 0 {
		t.Errorf("%q, %q", k.changes, k.failures)
	}
}

func TestFailuresAreNotedByTheirClass(t *testing.T) {
	k := newKept()
	k.tell(t, "access-denied", "transient", "timed-out", "too-old")
	var classes []string
	for _, failure := range k.failures {
		class, _, _ := strings.Cut(failure, ": ")
		classes = append(classes, class)
	}
	if want := []string{"access-denied", "transient", "Sandbox.Timedout", "EventAgeExceeded"}; !slices.Equal(classes, want) || !strings.Contains(k.failures[0], "s3://photos/holiday/cat.jpg") || len(k.changes) > 0 {
		t.Errorf("%q, %q", k.failures, k.changes)
	}
}

func TestARecordIsRead(t *testing.T) {
	k := newKept()
	k.tell(t, "record-created")
	if p := k.pictures["photos/holiday/cat.jpg"]; p.Status != "resized" || len(p.Renditions) != 3 {
		t.Errorf("%+v", k.pictures)
	}
	if ago := time.Since(k.told["photos/holiday/cat.jpg"]); ago < 0 || ago > time.Minute {
		t.Errorf("told %v ago", ago)
	}
	k = newKept()
	k.gone = true
	if k.tell(t, "record-created"); len(k.changes) > 0 {
		t.Errorf("%q, of a record that is gone", k.changes)
	}
}

func TestWhoHasNotTheTokenIsRefused(t *testing.T) {
	k := newKept()
	for _, given := range []string{"", "0123456789abcdef0123456789abcdeF", token + "0"} {
		if status, text := post(t, ready.Receiver{Pictures: k, Token: token}, given, sample(t, "resized")); status != http.StatusUnauthorized {
			t.Errorf("%q: %d %s", given, status, text)
		}
	}
	// A service that was given none lets nobody in.
	if status, _ := post(t, ready.Receiver{Pictures: k}, "", sample(t, "resized")); status != http.StatusUnauthorized {
		t.Errorf("%d", status)
	}
	if len(k.changes) > 0 {
		t.Errorf("%q", k.changes)
	}
}

// EventBridge tries again after a 5xx, and not after a 400.
func TestWhatCouldNotBeKeptComesAgainAndWhatIsNoEventDoesNot(t *testing.T) {
	k := newKept()
	k.err = errors.New("the database is away")
	for _, name := range []string{"resized", "record-created", "transient"} {
		if status, text := post(t, ready.Receiver{Pictures: k, Token: token}, token, sample(t, name)); status != http.StatusServiceUnavailable || !strings.Contains(text, "the database is away") {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	for _, body := range []string{"not JSON", `{"detail-type":"` + strings.Repeat("x", 3<<20) + `"}`} {
		if status, _ := post(t, ready.Receiver{Pictures: k, Token: token}, token, body); status != http.StatusBadRequest {
			t.Errorf("%.20s…: %d", body, status)
		}
	}
}
