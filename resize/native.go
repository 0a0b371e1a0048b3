package resize

// #cgo pkg-config: vips
// #include <vips/vips.h>
// void allow_loaders(void);
// void buffer_sources(void);
// void count_warnings(void);
// long warnings_of_this_thread(void);
// void tolerate_warnings(void);
// void premultiply_in_bytes(void);
// void trim_memory(void);
import "C"

import (
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/davidbyttow/govips/v2/vips"
)

// Startup starts libvips, with the given number of threads for each picture that is being resampled. Call it once,
// before anything else in this package.
//
// All loaders but those of the formats that are read are switched off: SVG, PDF, ImageMagick's and libvips's own formats.
func Startup(threads int) error {
	vips.LoggingSettings(func(string, vips.LogLevel, string) {}, vips.LogLevelError) // every failure is an error value
	// The operation cache would keep pictures alive that nobody asks for twice.
	if err := vips.Startup(&vips.Config{ConcurrencyLevel: threads}); err != nil {
		return fmt.Errorf("start libvips %s: %w", vips.Version, err)
	}
	C.allow_loaders()
	C.buffer_sources()
	C.count_warnings()
	C.tolerate_warnings()
	C.premultiply_in_bytes()
	startHEIC(threads)
	// Animations are decoded into memory, bounded by the limits: /tmp may be small, or not there.
	vips.SetStreamDiscThreshold(1 << 62)
	return nil
}

// Version is that of libvips, as "8.18.7".
func Version() string { return vips.Version }

// clearVipsError empties libvips's process-wide message buffer, which its failing calls append to.
func clearVipsError() { C.vips_error_clear() }

// closeWatched closes a picture that is not used anywhere any more, and tells whether its decoder has warned of anything.
func closeWatched(image *vips.ImageRef) (warned bool) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := C.warnings_of_this_thread()
	image.Close()
	return C.warnings_of_this_thread() != before
}

// closed is how many sources have been.
var closed atomic.Int64

// trimMemory, of every fiftieth picture, has the C library give back what pages are free. By itself it gives back those at
// its heap's end alone; among pictures of all sizes, something small that is kept lies behind ever more of them, and a
// process that needed 14 MB came to 190 after 20,000. Buffers in mappings of their own (M_MMAP_THRESHOLD) would not stay
// either, but getting new pages for each took a progressive JPEG 7 to 10 % longer.
func trimMemory() {
	if closed.Add(1)%50 == 0 {
		C.trim_memory()
	}
}
