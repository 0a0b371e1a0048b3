package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"s3resizer/internal/demo"
	"s3resizer/internal/naming"
	"s3resizer/internal/report"
	"s3resizer/internal/runtimeapi"
	"s3resizer/resize/resizetest"
)

// One process works on picture after picture: the whole corpus, good and bad, in random order, and photos of some
// megapixels; some of them two to an event, some cut off by the time limit and delivered again. Every answer is the
// right one, and what the process holds does not grow.
//
// This is the short form, where memory has hardly time to grow; SOAK is the number of pictures of the long one.
func TestSoak(t *testing.T) {
	if os.Getenv("LAMBDA_FUNCTION") != "" || runtime.GOOS != "linux" {
		t.Skip("it is /proc that tells what a process holds, and in its container the function is not this process's child")
	}
	run := soak{pictures: 150, growth: 100e3, few: 20, photos: soakPhotos(t, 10)}
	if long := os.Getenv("SOAK"); long != "" {
		pictures, err := strconv.Atoi(long)
		if err != nil {
			t.Fatalf("SOAK=%s is not a number of pictures", long)
		}
		run = soak{pictures: pictures, growth: 1000, few: 5, photos: soakPhotos(t, 1)}
	}
	run.run(t)
}

// soak is a run. It cleans up behind the function every few pictures, so that what this process holds stays bounded too.
type soak struct {
	pictures int
	growth   float64 // of its memory, in KB per 1,000 pictures, from which on it is a leak
	few      int     // descriptors and threads that may come and go: connections that are kept, libvips's workers
	photos   []resizetest.Picture

	*stage
	s3      *s3.Client
	random  *rand.Rand
	process *process
	samples []sample
	made    map[string]string // the keys that must be in the destination; of renditions, with what they are of
	sources []string          // the keys in the source bucket
	etags   map[string]string // of renditions whose pixels were found to be right

	good, bad, big, together, cut int
}

// sample is what the process holds after so many pictures.
type sample struct {
	pictures             int
	rss                  float64 // KB
	descriptors, threads int
}

const (
	soakSeed   = 1
	soakStep   = 20              // pictures between two looks at the process
	soakMargin = 5 * time.Second // so long before its time is up the function gives up
)

var soakSizes = map[string]int{"small": 90, "medium": 720, "large": 1440} // two that photos are made into, one for the corpus

func (k *soak) run(t *testing.T) {
	k.stage = emptyStage(t, account)
	k.s3 = s3.NewFromConfig(k.aws, func(o *s3.Options) { o.UsePathStyle = true })
	k.random, k.made, k.etags = rand.New(rand.NewPCG(soakSeed, 0)), map[string]string{}, map[string]string{}
	environ := slices.Concat(imageEnvironment, []string{inLambda, "RESIZE_DEADLINE_MARGIN=" + soakMargin.String()})
	var sizes []string
	for name, width := range soakSizes {
		sizes = append(sizes, fmt.Sprintf("%s=%d", name, width))
	}
	k.process = k.launch(t, append(environ, "RESIZE_SIZES="+strings.Join(sizes, ","))...)
	ended := false
	defer func() {
		if !ended {
			k.process.end(syscall.SIGKILL)
			printed := strings.Split(k.log.text(), "\n")
			t.Logf("the function printed at last:\n%s", strings.Join(printed[max(0, len(printed)-20):], "\n"))
		}
	}()

	k.look(t)
	began := time.Now()
	for next := soakStep; k.good+k.bad < k.pictures; {
		k.event(t)
		if k.good+k.bad >= next {
			k.look(t)
			next += soakStep
		}
		if len(k.sources) >= 100 || k.good+k.bad >= k.pictures {
			k.sweep(t)
		}
	}
	took := time.Since(began)
	peak := k.status(t, "VmHWM")
	k.process.end(syscall.SIGQUIT) // at which Go prints all goroutines
	ended = true
	k.judge(t, took, peak, goroutines(k.log.text()))
}

// goroutines counts those in what Go printed, but for those that stand for libvips's own threads.
func goroutines(text string) (n int) {
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, "goroutine ") && !strings.Contains(line, "locked to thread]") {
			n++
		}
	}
	return n
}

// event lets the function work on an upload, or on two in one event; now and then its time is up while it does.
func (k *soak) event(t *testing.T) {
	t.Helper()
	if k.random.IntN(10) == 0 {
		first, second := k.pick(), k.pick()
		event := together(k.put(t, &first), k.put(t, &second))
		k.together++
		k.right(t, event, first, second)
		return
	}
	picture := k.pick()
	event := k.put(t, &picture)
	if k.random.IntN(20) == 0 {
		_, err := k.api.Invoke(t.Context(), event, soakMargin+time.Duration(k.random.IntN(30))*time.Millisecond)
		var failure *runtimeapi.FunctionError
		switch {
		case errors.As(err, &failure) && failure.Type == "deadline":
			k.cut++
		case err != nil:
			t.Fatalf("%s: %v", picture.Name, err)
		}
	}
	k.right(t, event, picture)
}

func (k *soak) pick() resizetest.Picture {
	if k.random.IntN(20) == 0 {
		k.big++
		return k.photos[k.random.IntN(len(k.photos))]
	}
	all := resizetest.Pictures()
	return all[k.random.IntN(len(all))]
}

// put uploads a picture under a key that was never there before, which becomes its name.
func (k *soak) put(t *testing.T, p *resizetest.Picture) json.RawMessage {
	t.Helper()
	name := p.Name
	p.Name = fmt.Sprintf("%d/%s", k.good+k.bad, name)
	if p.Shows != nil {
		k.good++
		for size := range soakSizes {
			k.made[p.Rendition(size)] = size + " " + name
		}
	} else {
		k.bad++
	}
	k.made[".s3resizer/"+p.Name+".json"] = ""
	k.sources = append(k.sources, p.Name)
	return k.upload(t, "photos", p.Name, p.Data)
}

// right fails the test unless the function says of each picture what it ought to say.
func (k *soak) right(t *testing.T, event json.RawMessage, pictures ...resizetest.Picture) {
	t.Helper()
	results := k.invoke(t, event).Results
	if len(results) != len(pictures) {
		t.Fatalf("%d results for %d pictures", len(results), len(pictures))
	}
	for i, p := range pictures {
		result := results[i]
		switch {
		case p.Rejected != nil:
			if result.Status != report.Rejected || string(result.Class) != p.Rejected.Class || !strings.Contains(result.Reason, p.Rejected.Says) {
				t.Errorf("%s: %+v; want class %s and %q", p.Name, result, p.Rejected.Class, p.Rejected.Says)
			}
		case result.Status != report.Resized || len(result.Renditions) != len(soakSizes):
			t.Errorf("%s: %+v", p.Name, result)
		default:
			for _, r := range result.Renditions {
				k.pixels(t, p, r)
			}
		}
	}
}

// pixels compares a picture's renditions with what they ought to show, the first time that it is uploaded.
func (k *soak) pixels(t *testing.T, p resizetest.Picture, r report.Rendition) {
	t.Helper()
	of := k.made[r.Key]
	if _, known := k.etags[of]; known || of == "" {
		return // or it has a wrong name, which sweep finds
	}
	object, err := k.Open(t.Context(), r.Bucket, r.Key)
	if err != nil {
		t.Fatal(err)
	}
	defer object.Close()
	data, err := io.ReadAll(object)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Check(soakSizes[r.Size], p.Shows.Output, data); err != nil {
		t.Errorf("%s: %v", r.Key, err)
	}
	k.etags[of] = object.ETag
}

// sweep fails the test unless the destination has what it ought to have, byte for byte what was there the first time, and
// nothing else. Then it empties both buckets.
func (k *soak) sweep(t *testing.T) {
	t.Helper()
	bucket := "photos-resized"
	pages := s3.NewListObjectsV2Paginator(k.s3, &s3.ListObjectsV2Input{Bucket: &bucket})
	var there []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range page.Contents {
			of, expected := k.made[*object.Key]
			if !expected && !strings.HasPrefix(*object.Key, naming.SlowNotes) { // those whose time was up are noted
				t.Errorf("nobody expects %s", *object.Key)
			}
			if etag := strings.Trim(*object.ETag, `"`); of != "" && etag != k.etags[of] {
				t.Errorf("%s is not what it was the first time: ETag %s, then %s", *object.Key, etag, k.etags[of])
			}
			there = append(there, *object.Key)
			delete(k.made, *object.Key)
		}
	}
	for key := range k.made {
		t.Errorf("%s is missing", key)
	}
	k.remove(t, bucket, there)
	k.remove(t, "photos", k.sources)
	clear(k.made)
	k.sources = k.sources[:0]
}

func (k *soak) remove(t *testing.T, bucket string, keys []string) {
	t.Helper()
	var objects []types.ObjectIdentifier
	for _, key := range keys {
		objects = append(objects, types.ObjectIdentifier{Key: &key})
	}
	out, err := k.s3.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: &bucket, Delete: &types.Delete{Objects: objects}})
	if err != nil || len(out.Errors) > 0 {
		t.Fatalf("%v %+v", err, out)
	}
}

// look takes a sample.
func (k *soak) look(t *testing.T) {
	t.Helper()
	descriptors, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", k.process.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	k.samples = append(k.samples, sample{k.good + k.bad, k.status(t, "VmRSS"), len(descriptors), int(k.status(t, "Threads"))})
}

// status is a value of the process's /proc/PID/status, memory in KB of 1,000 bytes.
// https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
func (k *soak) status(t *testing.T, name string) float64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", k.process.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "\n"+name+":")
	line, _, _ := strings.Cut(after, "\n")
	number, kib := strings.CutSuffix(strings.TrimSpace(line), " kB")
	value, err := strconv.ParseFloat(number, 64)
	if err != nil {
		t.Fatalf("%s: %v in\n%s", name, err, status)
	}
	if kib {
		value *= 1.024
	}
	return value
}

// judge prints what was seen, and fails the test if anything grew.
func (k *soak) judge(t *testing.T, took time.Duration, peak float64, goroutines int) {
	t.Helper()
	half := len(k.samples) / 2
	slope := 1000 * slope(k.samples[half:])
	out := t.Output()
	fmt.Fprintf(out, "%d pictures in one process, seed %d, %.0f s: %d good (%d of them photos), %d bad\n", k.good+k.bad, soakSeed, took.Seconds(), k.good, k.big, k.bad)
	fmt.Fprintf(out, "%d events of two, %d cut off by the time limit and delivered again\n", k.together, k.cut)
	if !t.Failed() {
		fmt.Fprintln(out, "every answer right, every rendition the same as the first time")
	}
	fmt.Fprintf(out, "%10s %10s %12s %10s\n", "pictures", "RSS, MB", "descriptors", "threads")
	for quarter := range 5 {
		s := k.samples[quarter*(len(k.samples)-1)/4]
		fmt.Fprintf(out, "%10d %10.1f %12d %10d\n", s.pictures, s.rss/1000, s.descriptors, s.threads)
	}
	fmt.Fprintf(out, "RSS: peak %.1f MB; slope over the second half %+.1f KB per 1,000 pictures, of %d samples\n", peak/1000, slope, len(k.samples)-half)
	fmt.Fprintf(out, "goroutines at the end: %d\n", goroutines)

	if slope >= k.growth {
		t.Errorf("memory grows by %.0f KB per 1,000 pictures, of which at most %.0f are allowed", slope, k.growth)
	}
	var most sample
	for _, s := range k.samples[:half+1] {
		most.descriptors, most.threads = max(most.descriptors, s.descriptors), max(most.threads, s.threads)
	}
	if last := k.samples[len(k.samples)-1]; last.descriptors > most.descriptors+k.few || last.threads > most.threads+k.few {
		t.Errorf("%d descriptors and %d threads at the end; in the first half at most %d and %d", last.descriptors, last.threads, most.descriptors, most.threads)
	}
	if goroutines < 1 || goroutines > 50 { // there are two for each connection
		t.Errorf("%d goroutines at the end", goroutines)
	}
}

// slope is that of the line through the samples' memory, by least squares, in KB per picture.
func slope(samples []sample) float64 {
	var n, x, y float64
	for _, s := range samples {
		n, x, y = n+1, x+float64(s.pictures), y+s.rss
	}
	x, y = x/n, y/n
	var xy, xx float64
	for _, s := range samples {
		dx := float64(s.pictures) - x
		xy, xx = xy+dx*(s.rss-y), xx+dx*dx
	}
	return xy / xx
}

// soakPhotos are photos of 3 to 6 megapixels, in the formats of cameras, phones and web sites; their sides are divided by
// shrink, because drawing them takes long, and minutes under the race detector.
func soakPhotos(t *testing.T, shrink int) []resizetest.Picture {
	t.Helper()
	startLibvips(t)
	var all []resizetest.Picture
	for _, shot := range []struct {
		kind          demo.Kind
		width, height int
		demo.Options
	}{
		{demo.Mountains, 3000, 2000, demo.Options{Format: "jpeg"}},
		{demo.City, 2400, 1600, demo.Options{Format: "jpeg"}}, // too narrow to be shrunk as it is decoded
		{demo.Meadow, 3000, 2000, demo.Options{Format: "jpeg", Progressive: true}},
		{demo.Sea, 2400, 1600, demo.Options{Format: "webp"}},
		{demo.Aurora, 2000, 1500, demo.Options{Format: "png"}},
	} {
		scene := demo.Scene(shot.kind, soakSeed, shot.width/shrink, shot.height/shrink)
		data, err := demo.Encode(scene, shot.Options)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, resizetest.Picture{Name: fmt.Sprintf("%s.%s", shot.kind, shot.Format), Data: data, Shows: &resizetest.Shows{
			Format: shot.Format, Output: shot.Format, Frames: []*image.NRGBA{scene}, PSNR: 25,
		}})
	}
	return all
}
