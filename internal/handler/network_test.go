package handler_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"golang.org/x/sync/errgroup"

	"s3resizer/internal/devserver"
	"s3resizer/internal/devserver/devtest"
	"s3resizer/internal/report"
	"s3resizer/internal/s3fault"
	"s3resizer/s3io"
)

// torture says that the long form of a test is wanted.
var torture = os.Getenv("TORTURE") != ""

// networkFault is something that goes wrong between the handler and its S3, and what is to come of it.
type networkFault struct {
	name  string
	times int // s3fault.Always, or how many requests it hits
	on    s3fault.Match
	fault s3fault.Fault

	class   string        // of the failure; "" where the run gets over it
	status  string        // of the result, where there is one and it is not "resized"
	written []string      // what the failure must name at least
	timeout time.Duration // the function's; work stops three seconds before it, so that a busy machine is no fault of ours
	tls     func(p *s3fault.Proxy, t *http.Transport)
	damage  int64 // to a connection's bytes, after so many
	plain   bool  // HTTP, where the client expects TLS
	refused int32 // connections, the first ones
	after   func(t *testing.T, p *s3fault.Proxy)
	environ string
	big     bool // of two ranges
	long    bool // in the long form only
}

const (
	small, large, record = "small-", "large-", ".s3resizer/" // what keys begin with
	often                = s3fault.Always
)

func networkFaults(size int64) []networkFault {
	reads, looks, writes := s3fault.Reads, s3fault.Looks, s3fault.Writes
	again := func(r *http.Request) bool { return looks("")(r) && !looks(record)(r) } // at the source, behind the record
	slowDown, internal := s3fault.Error(503, "SlowDown"), s3fault.Error(500, "InternalError")
	untrusting := func(*s3fault.Proxy, *http.Transport) {}
	trusting := func(p *s3fault.Proxy, t *http.Transport) { t.TLSClientConfig = p.TrustedBy() }
	all := []networkFault{
		// those that take time come first
		{name: "a download stalls", times: 1, on: reads, fault: s3fault.StallAfter(size / 2)},
		{name: "a download drips", times: 1, on: reads, fault: s3fault.DripAfter(size/3, 100*time.Millisecond)},
		{name: "every download drips", times: often, on: reads, fault: s3fault.DripAfter(1000, 100*time.Millisecond), class: "transient", long: true},
		{name: "every download stalls", times: often, on: reads, fault: s3fault.StallAfter(1000), class: "transient", long: true},
		{name: "a download is not answered", times: 1, on: reads, fault: s3fault.Silence, long: true},
		{name: "no download is answered", times: often, on: reads, fault: s3fault.Silence, class: "transient", long: true},
		{name: "an upload is not answered", times: 1, on: writes(small), fault: s3fault.Silence, long: true},
		{name: "no upload of one size is answered", times: often, on: writes(large), fault: s3fault.Silence, class: "transient", written: []string{"small", "medium"}, long: true},
		{name: "an upload is not answered before the time limit", times: often, on: writes(large), fault: s3fault.Silence, class: "deadline", written: []string{"small", "medium"}, timeout: 8 * time.Second},
		{name: "the record's upload is not answered before the time limit", times: often, on: writes(record), fault: s3fault.Silence, class: "deadline", written: []string{"small", "medium", "large"}, timeout: 8 * time.Second},
		{name: "a download drips until the time limit", times: often, on: reads, fault: s3fault.DripAfter(size/2, 50*time.Millisecond), class: "deadline", timeout: 8 * time.Second},
		{name: "every answer takes long, but comes", times: often, on: s3fault.Any, fault: s3fault.Delay(500 * time.Millisecond)},

		{name: "connections are refused at first", refused: 2},
		{name: "connections are refused", refused: often, class: "transient"},
		{name: "S3 is gone after the download", times: 1, on: writes(""), fault: s3fault.Reset, after: func(_ *testing.T, p *s3fault.Proxy) {
			for p.Hits() == 0 {
				time.Sleep(time.Millisecond)
			}
			p.Stop()
		}, class: "transient"},
		{name: "a connection is reset before the answer", times: 1, on: reads, fault: s3fault.Reset},
		{name: "every connection is reset", times: often, on: s3fault.Any, fault: s3fault.Reset, class: "transient"},
		{name: "every download is reset half-way", times: often, on: reads, fault: s3fault.ResetAfter(size / 2)}, // each time half of what is left
		{name: "every download is reset at once", times: often, on: reads, fault: s3fault.ResetAfter(0), class: "transient"},
		{name: "a download ends early", times: 3, on: reads, fault: s3fault.EndAfter(size / 4)},
		{name: "the second range is reset", times: 2, on: secondRange, fault: s3fault.ResetAfter(100_000), big: true},
		{name: "an upload is reset before its answer", times: 2, on: writes(small), fault: s3fault.Reset},
		{name: "every upload of one size is reset", times: often, on: writes(large), fault: s3fault.Reset, class: "transient"},

		{name: "SlowDown, a short burst on reading", times: 2, on: reads, fault: slowDown},
		{name: "SlowDown, a long burst on reading", times: often, on: reads, fault: slowDown, class: "transient"},
		{name: "SlowDown, a short burst on writing", times: 2, on: writes(large), fault: slowDown},
		{name: "SlowDown, a long burst on writing", times: often, on: writes(large), fault: slowDown, class: "transient", written: []string{"small", "medium"}},
		{name: "SlowDown, a long burst when the record is written", times: often, on: writes(record), fault: slowDown, class: "transient", written: []string{"small", "medium", "large"}},
		{name: "SlowDown, a long burst when the source is looked at again", times: often, on: again, fault: slowDown, class: "transient", written: []string{"small", "medium", "large"}},
		{name: "an internal error, once", times: 1, on: s3fault.Any, fault: internal},
		{name: "internal errors on reading", times: often, on: reads, fault: internal, class: "transient"},
		{name: "internal errors on writing", times: often, on: writes(""), fault: internal, class: "transient"},

		{name: "reading is forbidden", times: often, on: reads, fault: s3fault.Error(403, "AccessDenied"), class: "access-denied"},
		{name: "writing is forbidden", times: often, on: writes(""), fault: s3fault.Error(403, "AccessDenied"), class: "access-denied"},
		{name: "looking at the source is forbidden", times: often, on: again, fault: s3fault.Error(403, "AccessDenied"), class: "access-denied", written: []string{"small", "medium", "large"}},
		{name: "looking at the record is forbidden", times: often, on: looks(record), fault: s3fault.Error(403, "AccessDenied"), class: "access-denied"},
		{name: "the record can't be looked at", times: often, on: looks(record), fault: internal, class: "transient"},
		{name: "the key of the bucket is disabled", times: often, on: writes(small), fault: s3fault.Error(400, "KMS.DisabledException"), class: "kms"},
		{name: "the object is archived", times: often, on: reads, fault: s3fault.Error(403, "InvalidObjectState"), class: "archived"},
		{name: "the destination bucket is missing", class: "no-such-bucket", environ: "RESIZE_DEST_BUCKET={bucket}-nowhere"},
		{name: "the source was deleted before it is read", times: often, on: reads, fault: s3fault.Error(404, "NoSuchKey"), status: "gone"},
		{name: "the source is deleted while it is read", times: often, on: reads, fault: onceThen(s3fault.ResetAfter(size/2), s3fault.Error(404, "NoSuchKey")), status: "gone"},

		{name: "an upload's answer is lost", times: 1, on: writes(small), fault: s3fault.LoseAnswer},
		{name: "every upload's answer is lost", times: often, on: writes(small), fault: s3fault.LoseAnswer, class: "transient"},
		{name: "the record's answer is lost", times: 1, on: writes(record), fault: s3fault.LoseAnswer},
		{name: "the record's answer is always lost", times: often, on: writes(record), fault: s3fault.LoseAnswer, class: "transient", written: []string{"small", "medium", "large"}},

		{name: "TLS works", tls: trusting},
		{name: "a certificate of an unknown authority", tls: untrusting, class: "transient"},
		{name: "no TLS where TLS is expected", plain: true, class: "transient"},
		{name: "a damaged record in a download", tls: trusting, damage: size / 2},
		{name: "a damaged record in the handshake", tls: trusting, damage: 300},
	}
	for tenth := range int64(10) {
		all = append(all,
			networkFault{name: fmt.Sprintf("a download is reset after %d tenths", tenth), times: 1, on: reads, fault: s3fault.ResetAfter(size * tenth / 10)},
			networkFault{name: fmt.Sprintf("an upload is reset after %d tenths", tenth), times: 1, on: writes(large), fault: s3fault.ResetUpload(tenth)},
		)
	}
	all = append(all, networkFault{name: "a download is reset at every tenth, one after the other", times: 10, on: reads, fault: s3fault.ResetAfter(size / 10)})
	return slices.DeleteFunc(all, func(f networkFault) bool { return f.long && !torture })
}

// secondRange is what follows the first 8 MiB.
func secondRange(r *http.Request) bool {
	return s3fault.Reads(r) && !strings.HasPrefix(r.Header.Get("Range"), "bytes=0-")
}

func onceThen(first, then s3fault.Fault) s3fault.Fault {
	var begun atomic.Bool
	return func(w http.ResponseWriter, r *http.Request, s3 http.Handler) {
		if begun.Swap(true) {
			then(w, r, s3)
			return
		}
		first(w, r, s3)
	}
}

// Whatever goes wrong on the way to S3 and back: in the end there is a complete set, or an error that says what is
// missing and makes the platform try again; and when it does, with the fault gone, there is a complete set.
func TestEveryFaultOfTheNetwork(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		t.Setenv(name, "of no account")
	}
	t.Setenv("AWS_REGION", "us-east-1")
	cfg, err := s3io.LoadConfig(t.Context()) // the function's own
	if err != nil {
		t.Fatal(err)
	}
	checkLeaks(t)
	embedded := devtest.Start(t, devserver.Options{Buckets: []string{"photos", "photos-resized"}})
	cfg.Credentials = embedded.Credentials
	b := &bench{Client: s3io.New(embedded, s3io.Options{})}
	source := noisy(t)

	faults := networkFaults(int64(len(source)))
	group := errgroup.Group{}
	group.SetLimit(12) // most of them wait most of the time
	for i, f := range faults {
		group.Go(func() error {
			t.Run(f.name, func(t *testing.T) {
				data := append(slices.Clone(source), byte(i)) // decoders stop before what follows the picture
				if f.big {
					data = append(data, make([]byte, 9<<20)...)
				}
				f.run(t, b, cfg.Copy(), *embedded.BaseEndpoint, fmt.Sprintf("%d.jpg", i), data)
			})
			return nil
		})
	}
	_ = group.Wait()
	t.Logf("%d faults", len(faults))
}

// run lets the fault happen to one upload, and delivers its event once more if the platform would.
func (f networkFault) run(t *testing.T, b *bench, cfg aws.Config, endpoint, key string, data []byte) {
	etag, err := b.Put(t.Context(), s3io.Upload{Bucket: "photos", Key: key, ContentType: "image/jpeg", Data: data})
	if err != nil {
		t.Fatal(err)
	}
	event := []byte(fmt.Sprintf(`{"bucket":"photos","key":%q}`, key))
	environ := []string{"RESIZE_DEADLINE_MARGIN=3s"}
	if f.environ != "" {
		environ = append(environ, f.environ)
	}
	client, proxy := f.client(t, cfg, endpoint)
	h := newHandler(t, client, settings(t, environ...), slog.New(slog.DiscardHandler))

	ctx, cancel := context.WithTimeout(t.Context(), cmp.Or(f.timeout, 10*time.Minute))
	defer cancel()
	answer, err := h.Handle(ctx, event)
	if proxy.Hits() == 0 && (f.fault != nil || f.damage > 0) {
		t.Error("nothing has gone wrong")
	}
	if ctx.Err() != nil {
		t.Error("the margin before the time limit was not kept: Lambda would have stopped the function")
	}
	switch {
	case f.class == "" && err != nil:
		t.Errorf("not recovered: %v", err)
	case f.class == "":
		if r := answer.Results[0]; string(r.Status) != cmp.Or(f.status, "resized") {
			t.Errorf("%+v", r)
		}
		if f.status == "" {
			b.complete(t, key, etag)
		}
	default:
		f.checkFailure(t, b, key, etag, answer, failureOf(t, err))
	}

	again := one(t, b.handler(t, b), event) // as the platform does, or a person once what was wrong is mended
	if again.Status != report.Resized {
		t.Errorf("delivered again: %+v", again)
	}
	b.complete(t, key, etag)
}

// client speaks to the S3 at endpoint through the fault.
func (f networkFault) client(t *testing.T, cfg aws.Config, endpoint string) (*s3io.Client, *s3fault.Proxy) {
	var proxy *s3fault.Proxy
	if f.tls != nil {
		proxy = s3fault.StartTLS(t, endpoint)
		proxy.Damage(f.damage)
	} else {
		proxy = s3fault.Start(t, endpoint)
	}
	if f.fault != nil {
		proxy.Inject(f.times, f.on, f.fault)
	}
	if f.after != nil {
		go f.after(t, proxy)
	}
	if f.plain {
		proxy.URL = strings.Replace(proxy.URL, "http:", "https:", 1)
	}
	cfg.BaseEndpoint = &proxy.URL
	cfg.HTTPClient = cfg.HTTPClient.(*awshttp.BuildableClient).WithTransportOptions(func(transport *http.Transport) {
		if f.tls != nil {
			f.tls(proxy, transport)
		}
		dial, refused := transport.DialContext, f.refused
		transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			if atomic.AddInt32(&refused, -1) >= 0 {
				address = "127.0.0.1:1" // where nobody listens
			}
			return dial(ctx, network, address)
		}
	})
	return s3io.New(cfg, s3io.Options{}), proxy
}

// checkFailure holds what a failure says against what is there.
func (f networkFault) checkFailure(t *testing.T, b *bench, key, etag string, answer report.Report, failure *report.Failure) {
	t.Helper()
	t.Log(failure)
	if string(failure.Class) != f.class || len(answer.Results) != 0 {
		t.Errorf("class %q, want %q; results %+v", failure.Class, f.class, answer.Results)
	}
	if temporary := f.class == "transient" || f.class == "deadline"; failure.Temporary() != temporary {
		t.Errorf("temporary: %v, want %v", failure.Temporary(), temporary)
	}
	for _, size := range f.written {
		if !slices.Contains(failure.Written, size+"-"+key) {
			t.Errorf("%s is not named as written, but %v", size, failure.Written)
		}
	}
	for _, written := range failure.Written {
		if info, err := b.Head(t.Context(), "photos-resized", written); err != nil || info.Metadata["s3resizer-source-etag"] != etag {
			t.Errorf("%s is named as written: %+v, %v", written, info, err)
		}
		if slices.Contains(failure.Missing, written) {
			t.Errorf("%s is named as written and as missing", written)
		}
	}
	b.absent(t, "photos-resized", ".s3resizer-slow/"+key) // the picture was not what was slow
	for _, size := range []string{"small", "medium", "large"} {
		named := func(name string) bool { return name == size || name == size+"-"+key }
		if !slices.ContainsFunc(failure.Written, named) && !slices.ContainsFunc(failure.Missing, named) {
			t.Errorf("%s is neither written, in %v, nor missing, in %v", size, failure.Written, failure.Missing)
		}
	}
	for _, name := range append(failure.Written, failure.Missing...) {
		if !strings.Contains(failure.Error(), name) {
			t.Errorf("the message does not name %s: %v", name, failure)
		}
	}
}

// complete fails the test unless every rendition and the record are there, and of the upload with that ETag.
func (b *bench) complete(t *testing.T, key, etag string) {
	t.Helper()
	for size, width := range map[string]int{"small": 368, "medium": 720, "large": 740} {
		info, data := b.get(t, "photos-resized", size+"-"+key)
		picture, err := jpeg.DecodeConfig(bytes.NewReader(data))
		if err != nil || picture.Width != width {
			t.Errorf("%s: %d pixels wide, want %d, %v", size, picture.Width, width, err)
		}
		if info.Metadata["s3resizer-source-etag"] != etag {
			t.Errorf("%s is of upload %s, not of %s", size, info.Metadata["s3resizer-source-etag"], etag)
		}
	}
	_, data := b.get(t, "photos-resized", ".s3resizer/"+key+".json")
	var recorded report.Result
	if err := json.Unmarshal(data, &recorded); err != nil || recorded.Source.ETag != etag || recorded.Status != report.Resized || len(recorded.Renditions) != 3 {
		t.Errorf("record %s, %v", data, err)
	}
}

// noisy is a grey JPEG of 740 × 500 whose noise makes it some hundred KB long.
func noisy(t *testing.T) []byte {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	img := image.NewGray(image.Rect(0, 0, 740, 500))
	for i := range img.Pix {
		img.Pix[i] = uint8(i*200/len(img.Pix)) + uint8(random.Uint32()>>26)
	}
	var data bytes.Buffer
	if err := jpeg.Encode(&data, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}
