package resize

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"

	"s3resizer/resize/resizetest"
	"s3resizer/resize/resizetest/vips"
)

// There is one target per format. Pictures that are damaged in every way must be rejected or rendered, in bounded time and
// memory. libvips works in a process of its own, so that a crash in C fails one input instead of the fuzzer.

func FuzzJPEG(f *testing.F) { fuzzPictures(f, JPEG) }
func FuzzPNG(f *testing.F)  { fuzzPictures(f, PNG) }
func FuzzGIF(f *testing.F)  { fuzzPictures(f, GIF) }
func FuzzWebP(f *testing.F) { fuzzPictures(f, WebP) }
func FuzzTIFF(f *testing.F) { fuzzPictures(f, TIFF) }
func FuzzAVIF(f *testing.F) { fuzzPictures(f, AVIF) }

// FuzzStructure changes counts, offsets, lengths and dimensions, in whole pictures of every format. The first two bytes of an input
// say which of them.
func FuzzStructure(f *testing.F) {
	var whole [][]byte
	for _, format := range []Format{JPEG, PNG, GIF, WebP, TIFF, AVIF} {
		for _, seed := range seeds(f, format) {
			f.Add(binary.BigEndian.AppendUint16(nil, uint16(len(whole))), []byte{0, byte(len(whole)), 5, 30, 0, 3, 4, 16})
			whole = append(whole, seed.data)
		}
	}
	r := &renderer{}
	f.Cleanup(r.stop)
	f.Fuzz(func(t *testing.T, which, edits []byte) {
		if len(which) < 2 {
			return
		}
		picture := resizetest.Restructured(whole[int(binary.BigEndian.Uint16(which))%len(whole)], edits)
		if mended := mendedPNG(picture); mended != nil {
			picture = mended
		}
		explore(picture)
		if fault := r.render(picture); fault != "" {
			t.Errorf("%d bytes, of input %x, %x: %s", len(picture), which, edits, fault)
		}
	})
}

// What a picture that is being fuzzed may cost.
const (
	fuzzSeconds = 10
	fuzzMemory  = 350 << 20 // bytes of resident memory at its peak, above what the process has kept of pictures before
)

var fuzzLimits = Limits{MaxPixels: 2_000_000, MaxFrames: 50, MaxMemory: 300 << 20}

func fuzzPictures(f *testing.F, format Format) {
	var whole [][]byte
	for _, seed := range seeds(f, format) {
		f.Add(seed.data)
		whole = append(whole, seed.data)
	}
	r := &renderer{}
	f.Cleanup(r.stop)
	f.Fuzz(func(t *testing.T, data []byte) {
		explore(data)
		for _, picture := range [][]byte{data, damaged(whole, data)} {
			for _, picture := range [][]byte{picture, mendedPNG(picture)} {
				if fault := r.render(picture); fault != "" {
					t.Errorf("%d bytes, kept as %s: %s", len(picture), keep(t, picture), fault)
				}
			}
		}
	})
}

// damaged returns one of some whole pictures with a few small edits, chosen by the fuzzer's input. The fuzzer's own mutations
// cut a file up and shuffle it, and 99 of 100 end at the signature or in the header. With these edits, most get to the pixels.
func damaged(whole [][]byte, input []byte) []byte {
	random := rand.New(rand.NewChaCha8(sha256.Sum256(input)))
	data := bytes.Clone(whole[random.IntN(len(whole))])
	for range 1 + random.IntN(4) {
		at := random.IntN(len(data))
		end := min(at+1+random.IntN(32), len(data))
		switch random.IntN(6) {
		case 0:
			data[at] ^= 1 << random.IntN(8)
		case 1:
			data[at] = byte(random.Uint32())
		case 2:
			copy(data[at:], []string{"\x00", "\xff", "\x00\x00", "\xff\xff", "\x7f\xff\xff\xff", "\xff\xff\xff\x7f", "\x00\x00\x00\x00", "\xff\xff\xff\xff"}[random.IntN(8)])
		case 3:
			data = slices.Delete(data, at, max(at, end-1))
		case 4:
			data = slices.Insert(data, at, data[at:end]...)
		case 5:
			other := whole[random.IntN(len(whole))]
			copy(data[at:end], other[random.IntN(len(other)):])
		}
	}
	return data
}

// keep stores a picture as an input, as the fuzzer does with its own.
func keep(t *testing.T, picture []byte) string {
	t.Helper()
	name, _, _ := strings.Cut(t.Name(), "/")
	path := fmt.Sprintf("testdata/fuzz/%s/%x", name, sha256.Sum256(picture))[:len("testdata/fuzz//")+len(name)+16]
	content := fmt.Appendf(nil, "go test fuzz v1\n[]byte(%q)\n", picture)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, 0o644)); err != nil {
		t.Error(err)
	}
	return path
}

// explore decodes a picture with Go's own decoder. The fuzzer keeps an input that reaches a new branch of Go code. It can't see
// what an input reaches in libvips, but a branch in one decoder mostly has its like in the other.
func explore(data []byte) {
	defer func() { _ = recover() }() // not the decoder that is being tested
	header, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err == nil && int64(header.Width)*int64(header.Height) <= 100_000 && frameVP8(data) <= 100_000 {
		_, _, _ = image.Decode(bytes.NewReader(data))
	}
}

// frameVP8 returns how many pixels the frame of a lossy WebP has by its own header (RFC 6386, 9.1), or 0 if there is none. That
// may be more than the file's header says, and Go's decoder goes by it: 224 million pixels took it more than the ten seconds
// after which the fuzzer gives up.
func frameVP8(data []byte) int {
	_, dimensions, _ := bytes.Cut(data, []byte("\x9d\x01\x2a"))
	if len(dimensions) < 4 {
		return 0
	}
	return int(binary.LittleEndian.Uint16(dimensions)&0x3fff) * int(binary.LittleEndian.Uint16(dimensions[2:])&0x3fff)
}

// mendedPNG returns a damaged PNG with the right checksum for each of its chunks, or nil if it is no PNG. With wrong ones, nearly
// every mutation would end at the first checksum, and test nothing after it.
func mendedPNG(data []byte) []byte {
	const signature = "\x89PNG\r\n\x1a\n"
	if !bytes.HasPrefix(data, []byte(signature)) {
		return nil
	}
	mended := bytes.Clone(data)
	for rest := mended[len(signature):]; len(rest) >= 12; { // length, type, content, checksum
		length := int64(binary.BigEndian.Uint32(rest))
		if length > int64(len(rest))-12 {
			break
		}
		binary.BigEndian.PutUint32(rest[8+length:], crc32.ChecksumIEEE(rest[4:8+length]))
		rest = rest[12+length:]
	}
	return mended
}

const rendererVariable = "S3RESIZER_TEST_RENDERER"

// renderer is a process that renders pictures. It is started for the first picture, and again after a crash.
type renderer struct {
	command  *exec.Cmd
	stdin    io.WriteCloser
	pictures *gob.Encoder
	faults   *gob.Decoder
	stderr   bytes.Buffer
}

func (r *renderer) start() error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	r.command = exec.Command(program)
	r.command.Env = append(os.Environ(), rendererVariable+"=1", "GOTRACEBACK=all")
	r.stderr.Reset()
	r.command.Stderr = &r.stderr
	if r.stdin, err = r.command.StdinPipe(); err != nil {
		return err
	}
	stdout, err := r.command.StdoutPipe()
	if err != nil {
		return err
	}
	r.pictures, r.faults = gob.NewEncoder(r.stdin), gob.NewDecoder(stdout)
	return r.command.Start()
}

// render returns what is wrong with how a picture was rendered or rejected, or "" if nothing is, or if there is no picture.
func (r *renderer) render(picture []byte) string {
	if len(picture) == 0 {
		return ""
	}
	if r.command == nil {
		if err := r.start(); err != nil {
			return "start the renderer: " + err.Error()
		}
	}
	var fault string
	err := r.pictures.Encode(picture)
	if err == nil {
		err = r.faults.Decode(&fault)
	}
	if err != nil {
		r.stdin.Close()
		ended := r.command.Wait()
		r.command = nil
		return fmt.Sprintf("the process that rendered it ended: %v\n%s", ended, r.stderr.Bytes())
	}
	return fault
}

func (r *renderer) stop() {
	if r.command != nil {
		r.stdin.Close()
		_ = r.command.Wait()
	}
}

// A crash in C is reported, with what it left on the standard error, and the next picture is rendered all the same.
func TestACrashOfTheRendererIsAFault(t *testing.T) {
	picture := seeds(t, PNG)[0].data
	r := &renderer{}
	defer r.stop()
	if fault := r.render(picture); fault != "" {
		t.Fatal(fault)
	}
	if err := r.command.Process.Signal(syscall.SIGSEGV); err != nil {
		t.Fatal(err)
	}
	fault := ""
	for deadline := time.Now().Add(10 * time.Second); fault == "" && time.Now().Before(deadline); {
		fault = r.render(picture)
	}
	if !strings.Contains(fault, "SIGSEGV") {
		t.Errorf("%q", fault)
	}
	if fault := r.render(picture); fault != "" {
		t.Errorf("after a crash: %s", fault)
	}
}

// renderPictures is what the renderer's process does: pictures come in, and what is wrong goes out.
func renderPictures() bool {
	if os.Getenv(rendererVariable) == "" {
		return false
	}
	// If it can't get memory, libvips ends the process. This is more than a picture within the limits can need.
	_ = syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: 4 * fuzzMemory, Max: 4 * fuzzMemory})
	pictures, faults := gob.NewDecoder(os.Stdin), gob.NewEncoder(os.Stdout)
	for {
		var picture []byte
		if pictures.Decode(&picture) != nil {
			return true
		}
		late := time.AfterFunc(fuzzSeconds*time.Second, func() { panic(fmt.Sprintf("not done after %d seconds", fuzzSeconds)) })
		fault := renderOne(picture)
		late.Stop()
		if faults.Encode(fault) != nil {
			return true
		}
	}
}

// renderOne returns what is wrong with how a picture is rendered or rejected, or "".
func renderOne(data []byte) string {
	forgetPeak()
	before := peakMemory()
	fault := fuzzRender(data)
	var held vips.MemoryStats
	vips.ReadVipsMemStats(&held)
	switch used := peakMemory() - before; {
	case fault != "":
		return fault
	case vips.OpenImageRefs() != 0:
		return fmt.Sprintf("%d libvips images are still open", vips.OpenImageRefs())
	case held.Files != 0:
		return fmt.Sprintf("%d files are still open", held.Files)
	case used > fuzzMemory:
		return fmt.Sprintf("%d MB of memory", used>>20)
	}
	return ""
}

func fuzzRender(data []byte) string {
	var mu sync.Mutex
	var renditions []Rendition
	again := false
	source, err := Open(context.Background(), file{bytes.NewReader(data), func(context.Context) (io.ReadCloser, error) {
		again = len(renditions) > 0
		return io.NopCloser(bytes.NewReader(data)), nil
	}}, fuzzLimits)
	if err == nil {
		defer source.Close()
		spec := Spec{Sizes: []Size{{Name: "s", Width: 5}, {Name: "m", Width: 16}}, Formats: []Format{AsSource}, Quality: quality, Background: white, AcceptTruncated: true, Credit: true}
		if source.Format == AVIF {
			spec.Formats = []Format{JPEG} // AV1 takes too long to encode
		}
		emit := func(r Rendition) error {
			mu.Lock()
			defer mu.Unlock()
			renditions = append(renditions, r)
			return nil
		}
		if _, err = source.Render(context.Background(), spec, emit); again {
			return "it was examined after renditions had been made of it"
		}
	}
	if rejection := (*Rejection)(nil); errors.As(err, &rejection) {
		if len(renditions) > 0 || rejection.Reason == "" {
			return fmt.Sprintf("%d renditions, then %v", len(renditions), err)
		}
		return ""
	}
	if err != nil {
		return fmt.Sprintf("the reader did not fail, and yet: %v", err)
	}
	if len(renditions) != 2 {
		return fmt.Sprintf("%d renditions, want 2", len(renditions))
	}
	for _, r := range renditions {
		width, height := source.Fit(Size{Width: map[string]int{"s": 5, "m": 16}[r.Size]}, r.Format)
		if got, err := Open(context.Background(), bytes.NewReader(r.Data), limits); err != nil {
			return fmt.Sprintf("the rendition can't be read: %v", err)
		} else if got.Format != r.Format || r.Width != width || r.Height != height || got.Width != width || got.Height != height {
			return fmt.Sprintf("%s is a %s of %d × %d and said to be a %s of %d × %d; want %d × %d", r.Size, got.Format, got.Width, got.Height, r.Format, r.Width, r.Height, width, height)
		}
	}
	return ""
}

// forgetPeak resets the peak of this process's memory, where there is /proc.
func forgetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// peakMemory returns the most memory that has been resident since then, in bytes, or 0 if the system does not say.
func peakMemory() int64 {
	status, _ := os.ReadFile("/proc/self/status")
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	kilobytes, _, _ := strings.Cut(strings.TrimSpace(peak), " ")
	n, _ := strconv.ParseInt(kilobytes, 10, 64)
	return n << 10
}
