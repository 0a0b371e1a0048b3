package handler_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"log/slog"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"s3resizer/internal/config"
	"s3resizer/internal/devserver"
	"s3resizer/internal/devserver/devtest"
	"s3resizer/internal/handler"
	"s3resizer/internal/report"
	"s3resizer/resize"
	"s3resizer/resize/resizetest/vips"
	"s3resizer/s3io"
)

func TestMain(m *testing.M) {
	if err := resize.Startup(2); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// bench is an S3 endpoint, a client for it, and the events that uploads to "photos" raised.
type bench struct {
	*s3io.Client
	events <-chan json.RawMessage
}

func newBench(t *testing.T) *bench {
	t.Helper()
	checkLeaks(t)
	cfg, events := devtest.StartWithEvents(t, devserver.Options{Buckets: []string{"photos", "photos-resized"}, Notify: []string{"photos"}})
	return &bench{s3io.New(cfg, s3io.Options{}), events}
}

// checkLeaks fails the test if libvips images, goroutines or descriptors are left behind when all else is closed.
func checkLeaks(t *testing.T) {
	t.Helper()
	before, files := goroutines(), openFiles(t)
	t.Cleanup(func() {
		if n := vips.OpenImageRefs(); n != 0 {
			t.Errorf("%d libvips images are still open", n)
		}
		for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			now, f := goroutines(), openFiles(t)
			if len(now) <= len(before) && f <= files {
				return
			}
			if time.Now().After(deadline) {
				t.Errorf("%d goroutines and %d descriptors; before, %d and %d\n%s", len(now), f, len(before), files, strings.Join(now, "\n\n"))
				return
			}
		}
	})
}

// goroutines returns the stacks of all goroutines, but for those that stand for libvips's own threads.
func goroutines() []string {
	stacks := make([]byte, 1<<20)
	all := strings.Split(string(stacks[:runtime.Stack(stacks, true)]), "\n\n")
	return slices.DeleteFunc(all, func(stack string) bool {
		return strings.Contains(stack, "[syscall") && strings.Contains(stack, "locked to thread]")
	})
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if errors.Is(err, os.ErrNotExist) {
		return 0 // no /proc, as on macOS
	}
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// upload puts an object into "photos" and returns the event that it raised.
func (b *bench) upload(t *testing.T, key string, data []byte) json.RawMessage {
	t.Helper()
	if _, err := b.Put(t.Context(), s3io.Upload{Bucket: "photos", Key: key, ContentType: "image/jpeg", CacheControl: "max-age=77", Data: data}); err != nil {
		t.Fatal(err)
	}
	return <-b.events
}

func settings(t *testing.T, environ ...string) config.Settings {
	t.Helper()
	s, err := config.Load(environ)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (b *bench) handler(t *testing.T, store handler.Store, environ ...string) *handler.Handler {
	t.Helper()
	return newHandler(t, store, settings(t, environ...), slog.New(slog.DiscardHandler))
}

// photo is a JPEG with some structure; different seeds give different bytes.
func photo(t *testing.T, width, height int, seed uint8) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.Set(x, y, color.RGBA{uint8(x*255/width) ^ seed, uint8(y * 255 / height), uint8((x/16 + y/16) % 2 * 200), 255})
		}
	}
	var data bytes.Buffer
	if err := jpeg.Encode(&data, img, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

func (b *bench) get(t *testing.T, bucket, key string) (s3io.Info, []byte) {
	t.Helper()
	o, err := b.Open(t.Context(), bucket, key)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	data, err := io.ReadAll(o)
	if err != nil {
		t.Fatal(err)
	}
	return o.Info, data
}

func (b *bench) absent(t *testing.T, bucket, key string) {
	t.Helper()
	if _, err := b.Head(t.Context(), bucket, key); s3io.ClassOf(err) != s3io.NotFound {
		t.Errorf("s3://%s/%s is there: %v", bucket, key, err)
	}
}

// one handles an event of one object that must end in a result.
func one(t *testing.T, h *handler.Handler, event json.RawMessage) report.Result {
	t.Helper()
	answer, err := h.Handle(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.Results) != 1 {
		t.Fatalf("%d results: %+v", len(answer.Results), answer)
	}
	return answer.Results[0]
}

func failureOf(t *testing.T, err error) *report.Failure {
	t.Helper()
	var f *report.Failure
	if !errors.As(err, &f) {
		t.Fatalf("not a failure: %v", err)
	}
	return f
}

func TestAnUploadBecomesThreeRenditionsAndARecord(t *testing.T) {
	b := newBench(t)
	event := b.upload(t, "a b/제주+1.jpg", photo(t, 3000, 2001, 1))
	result := one(t, b.handler(t, b), event)

	if result.Status != report.Resized || result.Source.Key != "a b/제주+1.jpg" || result.Source.Format != "jpeg" || result.Source.Width != 3000 || result.Source.Height != 2001 {
		t.Errorf("%+v", result)
	}
	source, _ := b.get(t, "photos", "a b/제주+1.jpg")
	if result.Source.ETag != source.ETag || result.Source.Bytes != source.Size {
		t.Errorf("source %+v, S3 has %+v", result.Source, source)
	}
	want := []struct {
		size          string
		width, height int
	}{{"small", 368, 245}, {"medium", 720, 480}, {"large", 1440, 960}}
	for i, w := range want {
		r := result.Renditions[i]
		info, data := b.get(t, "photos-resized", w.size+"-a b/제주+1.jpg")
		made, format, err := image.DecodeConfig(bytes.NewReader(data))
		if err != nil || format != "jpeg" || made.Width != w.width || made.Height != w.height {
			t.Errorf("%s is a %s of %d × %d, %v; want a JPEG of %d × %d", w.size, format, made.Width, made.Height, err, w.width, w.height)
		}
		if r.Size != w.size || r.Width != w.width || r.Height != w.height || r.Bytes != len(data) || r.Bucket != "photos-resized" || r.Key != info.Key || r.ContentType != "image/jpeg" {
			t.Errorf("reported as %+v", r)
		}
		if info.ContentType != "image/jpeg" || info.CacheControl != "max-age=77" {
			t.Errorf("%s: content type %q, cache control %q", w.size, info.ContentType, info.CacheControl)
		}
		if info.Metadata["s3resizer-source"] != "s3://photos/a%20b/%EC%A0%9C%EC%A3%BC+1.jpg" || info.Metadata["s3resizer-source-etag"] != source.ETag ||
			info.Metadata["s3resizer-settings"] != settings(t).Fingerprint() || info.Metadata["s3resizer-size"] != w.size {
			t.Errorf("%s: metadata %v", w.size, info.Metadata)
		}
	}
	info, record := b.get(t, "photos-resized", ".s3resizer/a b/제주+1.jpg.json")
	var recorded report.Result
	if err := json.Unmarshal(record, &recorded); err != nil || !reflect.DeepEqual(recorded, result) {
		t.Errorf("record %s (%v), result %+v", record, err, result)
	}
	if info.ContentType != "application/json" {
		t.Errorf("the record's content type is %q", info.ContentType)
	}
	for name, ms := range map[string]float64{"download": result.Timings.Download, "decode": result.Timings.Decode, "encode": result.Timings.Encode, "upload": result.Timings.Upload} {
		if ms <= 0 || ms > result.Timings.Total+1 {
			t.Errorf("%s took %v ms of %v", name, ms, result.Timings.Total)
		}
	}
}

func TestFormatsAndKeysFollowTheSettings(t *testing.T) {
	b := newBench(t)
	h := b.handler(t, b, "RESIZE_SIZES=thumb=100", "RESIZE_FORMATS=source,webp", "RESIZE_KEY_TEMPLATE={dir}{name}-{size}{ext}", "RESIZE_RECORD=off", "RESIZE_CACHE_CONTROL=no-store")
	result := one(t, h, b.upload(t, "x/cat.jpg", photo(t, 400, 300, 1)))
	if len(result.Renditions) != 2 || result.Renditions[0].Key != "x/cat-thumb.jpg" || result.Renditions[1].Key != "x/cat-thumb.jpg.webp" {
		t.Errorf("%+v", result.Renditions)
	}
	if info, _ := b.get(t, "photos-resized", "x/cat-thumb.jpg.webp"); info.ContentType != "image/webp" || info.CacheControl != "no-store" {
		t.Errorf("%+v", info)
	}
	b.absent(t, "photos-resized", ".s3resizer/x/cat.jpg.json")
}

func TestASourceNarrowerThanASizeKeepsItsWidth(t *testing.T) {
	b := newBench(t)
	result := one(t, b.handler(t, b), b.upload(t, "icon.jpg", photo(t, 500, 300, 1)))
	widths := map[string]int{}
	for _, r := range result.Renditions {
		widths[r.Size] = r.Width
	}
	if want := map[string]int{"small": 368, "medium": 500, "large": 500}; !reflect.DeepEqual(widths, want) {
		t.Errorf("widths %v, want %v", widths, want)
	}
}

func TestEventShapes(t *testing.T) {
	b := newBench(t)
	h := b.handler(t, b)
	first, second := b.upload(t, "one.jpg", photo(t, 400, 300, 1)), b.upload(t, "two 2.jpg", photo(t, 400, 300, 2))
	var both struct{ Records []json.RawMessage }
	for _, event := range []json.RawMessage{second, []byte(`{"Records":[{"eventSource":"aws:s3","eventName":"ObjectRemoved:Delete","s3":{"bucket":{"name":"photos"},"object":{"key":"x.jpg"}}}]}`), first} {
		var records struct{ Records []json.RawMessage }
		if err := json.Unmarshal(event, &records); err != nil {
			t.Fatal(err)
		}
		both.Records = append(both.Records, records.Records...)
	}
	event, _ := json.Marshal(both)
	answer, err := h.Handle(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range answer.Results {
		got = append(got, fmt.Sprint(r.Status, " ", r.Source.Key))
	}
	if want := []string{"resized two 2.jpg", "skipped x.jpg", "resized one.jpg"}; !reflect.DeepEqual(got, want) {
		t.Errorf("several records: %v, want %v", got, want)
	}

	if r := one(t, h, []byte(`{"bucket":"photos","key":"two 2.jpg"}`)); r.Status != report.Resized {
		t.Errorf("direct call: %+v", r)
	}
	if r := one(t, h, []byte(`{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2014-10-13T15:57:02.089Z","Bucket":"photos","RequestId":"5582815E1AEA5ADF"}`)); r.Status != report.Skipped || r.Source.Bucket != "photos" || !strings.Contains(r.Reason, "test event") {
		t.Errorf("test event: %+v", r)
	}
	for _, unknown := range []string{`{}`, `{"Records":[]}`, `[]`, `"x"`, `{"bucket":"photos"}`, `{"Records":[{"eventSource":"aws:sqs","body":"{}"}]}`, `{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},"object":{"key":"%zz"}}}]}`, `{"Records":[{"s3":{"bucket":{"name":"b"},"object":{"key":"k"}}}]}`, `nonsense`} {
		answer, err := h.Handle(t.Context(), []byte(unknown))
		if f := failureOf(t, err); f.Class != report.ClassUnknownEvent || !strings.Contains(f.Error(), `{"bucket":"…","key":"…"}`) || len(answer.Results) != 0 {
			t.Errorf("%s: %v", unknown, err)
		}
	}
}

func TestOnlyAFewObjectsAreInFlight(t *testing.T) {
	b := newBench(t)
	var records []json.RawMessage
	for i := range 12 {
		var event struct{ Records []json.RawMessage }
		if err := json.Unmarshal(b.upload(t, fmt.Sprintf("%d.jpg", i), photo(t, 400, 300, uint8(i))), &event); err != nil {
			t.Fatal(err)
		}
		records = append(records, event.Records...)
	}
	event, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		t.Fatal(err)
	}
	var inFlight, most atomic.Int32
	m := &meddler{Store: b, open: func(o *s3io.Object) {
		if n := inFlight.Add(1); n > most.Load() {
			most.Store(n)
		}
		o.ReadCloser = closing{o.ReadCloser, func() { inFlight.Add(-1) }}
	}}
	answer, err := b.handler(t, m).Handle(t.Context(), event)
	if err != nil || len(answer.Results) != 12 {
		t.Errorf("%d results, %v", len(answer.Results), err)
	}
	if limit := int32(settings(t).Processors); most.Load() > limit || most.Load() < min(2, limit) {
		t.Errorf("%d objects were in flight at once, want at most %d, and several", most.Load(), limit)
	}
}

type closing struct {
	io.ReadCloser
	closed func()
}

func (c closing) Close() error {
	c.closed()
	return c.ReadCloser.Close()
}

func TestWhatIsNotResized(t *testing.T) {
	b := newBench(t)
	h := b.handler(t, b)

	t.Run("our own output, by its metadata", func(t *testing.T) {
		one(t, h, b.upload(t, "cat.jpg", photo(t, 800, 600, 1)))
		loop := b.handler(t, b, "RESIZE_DEST_BUCKET=photos")
		if r := one(t, b.handler(t, b, "RESIZE_DEST_BUCKET=elsewhere"), []byte(`{"bucket":"photos-resized","key":"small-cat.jpg"}`)); r.Status != report.Skipped {
			t.Errorf("%+v", r)
		}
		_, err := loop.Handle(t.Context(), []byte(`{"bucket":"photos","key":"cat.jpg"}`))
		if f := failureOf(t, err); f.Class != report.ClassSameBucket || !strings.Contains(f.Error(), "RESIZE_DEST_BUCKET") {
			t.Errorf("destination equal to the source: %v", err)
		}
		b.absent(t, "photos", "small-cat.jpg")
	})
	t.Run("a folder marker", func(t *testing.T) {
		if r := one(t, h, b.upload(t, "folder/", nil)); r.Status != report.Skipped {
			t.Errorf("%+v", r)
		}
	})
	t.Run("a source that is gone", func(t *testing.T) {
		if r := one(t, h, []byte(`{"bucket":"photos","key":"never.jpg"}`)); r.Status != report.Gone {
			t.Errorf("%+v", r)
		}
		b.absent(t, "photos-resized", ".s3resizer/never.jpg.json")
	})
	for name, c := range map[string]struct {
		data    []byte
		environ string
		class   string
		reason  string
	}{
		"a text file named .jpg": {[]byte("this is not a picture at all"), "", "unsupported", "not an image"},
		"an empty file":          {nil, "", "unsupported", "empty"},
		"too many bytes":         {photo(t, 400, 300, 1), "RESIZE_MAX_BYTES=1000", "too-large", "the limit is 1000"},
		"too many pixels":        {photo(t, 400, 300, 1), "RESIZE_MAX_PIXELS=119999", "too-large", "the limit is 119999"},
		"half a picture":         {photo(t, 1000, 800, 1)[:20000], "", "corrupt", "cut short"},
		"a header and no more":   {photo(t, 1000, 800, 1)[:150], "", "corrupt", "header"},
	} {
		t.Run(name, func(t *testing.T) {
			key := strings.ReplaceAll(name, " ", "-") + ".jpg"
			one(t, h, b.upload(t, key, photo(t, 800, 600, 7))) // an older, good upload
			older, _ := b.get(t, "photos-resized", "small-"+key)

			var environ []string
			if c.environ != "" {
				environ = []string{c.environ}
			}
			event := b.upload(t, key, c.data)
			r := one(t, b.handler(t, b, environ...), event)
			if r.Status != report.Rejected || string(r.Class) != c.class || !strings.Contains(r.Reason, c.reason) || len(r.Renditions) != 0 {
				t.Errorf("%+v", r)
			}
			if now, _ := b.get(t, "photos-resized", "small-"+key); now.ETag != older.ETag {
				t.Error("the older upload's rendition is gone")
			}
			info, record := b.get(t, "photos-resized", ".s3resizer/"+key+".json")
			source, _ := b.get(t, "photos", key)
			if !bytes.Contains(record, []byte(`"status":"rejected"`)) || info.Metadata["s3resizer-source-etag"] != source.ETag {
				t.Errorf("record %s, metadata %v", record, info.Metadata)
			}
		})
	}
}
