package resize

// #cgo pkg-config: vips
// #include <vips/vips.h>
// void allow_loaders(void);
// void buffer_sources(void);
// void count_warnings(void);
// long warnings_of_this_thread(void);
// void tolerate_warnings(void);
// void premultiply_in_bytes(void);
// VipsImage *computed(VipsImage *in);
// void trim_memory(void);
import "C"

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

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
	nativeField()
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

// inMemory computes the pixels of image. Nothing but pixels comes through: EXIF, ICC profile, XMP and comments stay
// behind.
//
// govips has that in two calls, ToBytes and NewImageFromMemory, which copy the pixels to Go and back: a tenth of the CPU
// time of a small photo goes into the pages of the copies.
func inMemory(image *vips.ImageRef) (*vips.ImageRef, error) {
	pixels := C.computed(*native(image))
	runtime.KeepAlive(image)
	if pixels == nil {
		clearVipsError()
		return nil, errors.New("the pixels can't be computed")
	}
	holder, err := vips.Black(1, 1)
	if err != nil {
		C.g_object_unref(C.gpointer(pixels))
		return nil, err
	}
	C.g_object_unref(C.gpointer(*native(holder)))
	*native(holder) = pixels
	return holder, nil
}

// native is where govips keeps the picture of libvips that it stands for. Nobody else may be using image: govips has a
// lock of its own for that.
func native(image *vips.ImageRef) **C.VipsImage {
	return (**C.VipsImage)(unsafe.Add(unsafe.Pointer(image), nativeField().Offset))
}

// nativeField panics if another version of govips keeps it elsewhere; Startup asks first.
var nativeField = sync.OnceValue(func() reflect.StructField {
	field, ok := reflect.TypeFor[vips.ImageRef]().FieldByName("image")
	if !ok || field.Type.String() != "*vips._Ctype_struct__VipsImage" {
		panic("this version of govips does not keep a *VipsImage in ImageRef.image: change native")
	}
	return field
})

const (
	// kept is by how many bytes the process may grow before its C library is told to give back what is free.
	kept = 32 << 20
	// sparing is how many pictures there are at least between two times.
	sparing = 10
)

var (
	closed atomic.Int64 // sources, since the last time
	least  atomic.Int64 // resident memory of the process when it was smallest, since the last time, in bytes
)

// trimMemory has the C library give back its free pages, if the process has grown. By itself it gives back those at its
// heap's end alone; among pictures of all sizes, something small lies behind ever more of them, and though nothing leaks
// (right after a trim it is always as much) a process of 50 MB came to 190. It is not done for every picture, because the
// next one gets all its pages anew: a progressive JPEG of 12 megapixels took 17 % longer. Nor would buffers in mappings of
// their own (M_MMAP_THRESHOLD) do, which is that for every picture: 7 to 10 %.
func trimMemory() {
	pictures := closed.Add(1)
	switch now := residentMemory(); {
	case now < least.Load():
		least.Store(now)
	case now > least.Load()+kept && pictures >= sparing:
		C.trim_memory()
		closed.Store(0)
		least.Store(residentMemory())
	}
}

// residentMemory is that of the process, in bytes; 0 where the system does not tell (/proc/self/statm, proc(5)).
func residentMemory() int64 {
	sizes, _ := os.ReadFile("/proc/self/statm")
	var all, resident int64
	_, _ = fmt.Sscan(string(sizes), &all, &resident)
	return resident * int64(os.Getpagesize())
}
