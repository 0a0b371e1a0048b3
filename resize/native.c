#include <vips/vips.h>

// govips refers to this function, which a libvips built without ImageMagick does not have. Defining it here lets the
// program link, and shuts the way to ImageMagick's many decoders even where the system's libvips has them.
__attribute__((weak)) int vips_magickload_buffer(void *buf, size_t len, VipsImage **out, ...) {
  (void) buf;
  (void) len;
  (void) out;
  vips_error("magickload", "%s", "not built in");
  return -1;
}
