#include <stdio.h>
#include <string.h>
#include <vips/vips.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

// govips refers to this function, which a libvips built without ImageMagick does not have. Defining it here lets the
// program link, and shuts the way to ImageMagick's many decoders even where the system's libvips has them.
__attribute__((weak)) int vips_magickload_buffer(void *buf, size_t len, VipsImage **out, ...) {
  (void) buf;
  (void) len;
  (void) out;
  vips_error("magickload", "%s", "not built in");
  return -1;
}

// A libvips may have been built with dozens of loaders, not all of them made for files of strangers. That for Ultra HDR
// would be chosen for phones' JPEGs with a gain map, which it reads whole, at full size and without noticing that one is
// cut short; what a browser shows of them is what the loader for JPEG reads.
void allow_loaders(void) {
  static const char *const allowed[] = {"Jpeg", "Png", "Webp", "Nsgif", "Tiff", "Heif"};
  vips_block_untrusted_set(TRUE);
  vips_operation_block_set("VipsForeignLoad", TRUE);
  for (size_t i = 0; i < G_N_ELEMENTS(allowed); i++) {
    char name[64];
    snprintf(name, sizeof(name), "VipsForeignLoad%s", allowed[i]);
    vips_operation_block_set(name, FALSE);
  }
}

// libjpeg warns of what it makes up for: codes that don't exist, data that ends too soon, and much that is harmless.
// libvips counts the warnings of a picture, and says "read gave 3 warnings" to GLib's log when it is closed, on the thread
// that closes it. That they came is told to whoever closes a picture; what they say is not, for it comes from a buffer
// that all pictures share.
static _Thread_local long warnings;

static void count_warning(const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer data) {
  (void) domain;
  (void) level;
  (void) message;
  (void) data;
  warnings++;
}

void count_warnings(void) {
  g_log_set_handler("VIPS", G_LOG_LEVEL_WARNING, count_warning, NULL);
}

long warnings_of_this_thread(void) {
  return warnings;
}

// A JPEG that is to be decoded whatever is wrong with it must not fail at the hundredth warning: a picture cut short has
// one for each restart interval that is missing.

static int (*build_jpeg_loader)(VipsObject *);

static int build_tolerant_jpeg_loader(VipsObject *loader) {
  if (VIPS_FOREIGN_LOAD(loader)->fail_on == VIPS_FAIL_ON_NONE) g_object_set(loader, "unlimited", TRUE, NULL);
  return build_jpeg_loader(loader);
}

void tolerate_warnings(void) {
  GType type = g_type_from_name("VipsForeignLoadJpegSource");
  if (build_jpeg_loader || !type) return;
  VipsObjectClass *class = g_type_class_ref(type);
  build_jpeg_loader = class->build;
  class->build = build_tolerant_jpeg_loader;
}

// libvips weights colors by alpha in floats. Bytes, rounded, are as good for what is resampled to bytes, and a picture
// of them is read, kept and resampled at a fifth of the cost.

static VipsObjectClass *premultiply_class;
static int (*premultiply_floats)(VipsObject *);

// (v + 128 + ((v + 128) >> 8)) >> 8 is v / 255, rounded, for every v of two bytes multiplied: Jim Blinn, "Three Wrongs
// Make a Right", IEEE Computer Graphics and Applications, 1995. Two colors at a time, in the halves of a word.
static inline guint32 weighted_pair(guint32 pair, guint32 alpha) {
  guint32 v = pair * alpha + 0x00800080;
  return ((v + ((v >> 8) & 0x00ff00ff)) >> 8) & 0x00ff00ff;
}

static int premultiply_rows(VipsRegion *out, void *seq, void *a, void *b, gboolean *stop) {
  VipsRegion *in = seq;
  VipsRect *rows = &out->valid;
  int bands = out->im->Bands;
  if (vips_region_prepare(in, rows)) return -1;
  for (int y = rows->top; y < rows->top + rows->height; y++) {
    const unsigned char *from = VIPS_REGION_ADDR(in, rows->left, y);
    unsigned char *to = VIPS_REGION_ADDR(out, rows->left, y);
    for (int x = 0; x < rows->width; x++, from += bands, to += bands) {
      guint32 alpha = from[bands - 1];
      guint32 even = weighted_pair(from[0] | (bands == 4 ? from[2] << 16 : 0), alpha);
      to[0] = even;
      if (bands == 4) {
        to[1] = weighted_pair(from[1], alpha);
        to[2] = even >> 16;
      }
      to[bands - 1] = alpha;
    }
  }
  return 0;
}

static int premultiply_build(VipsObject *operation) {
  VipsImage *in = NULL, *out = NULL;
  g_object_get(operation, "in", &in, NULL);
  gboolean bytes = in && in->BandFmt == VIPS_FORMAT_UCHAR && in->Coding == VIPS_CODING_NONE && (in->Bands == 2 || in->Bands == 4);
  int failed = bytes ? VIPS_OBJECT_CLASS(g_type_class_peek_parent(premultiply_class))->build(operation) : premultiply_floats(operation);
  if (bytes && !failed) {
    g_object_get(operation, "out", &out, NULL);
    failed = vips_image_pipelinev(out, VIPS_DEMAND_STYLE_THINSTRIP, in, NULL) ||
      vips_image_generate(out, vips_start_one, premultiply_rows, vips_stop_one, in, NULL);
    g_object_unref(out);
  }
  if (in) g_object_unref(in);
  return failed;
}

void premultiply_in_bytes(void) {
  if (premultiply_class) return;
  premultiply_class = g_type_class_ref(g_type_from_name("VipsPremultiply"));
  premultiply_floats = premultiply_class->build;
  premultiply_class->build = premultiply_build;
}

static void free_pixels(VipsImage *image, void *pixels) {
  (void) image;
  g_free(pixels);
}

// Computes the pixels of in, into memory that belongs to the picture returned, which has nothing else of it; NULL if they
// can't be.
VipsImage *computed(VipsImage *in) {
  size_t size;
  void *pixels = vips_image_write_to_memory(in, &size);
  if (!pixels) return NULL;
  VipsImage *out = vips_image_new_from_memory(pixels, size, in->Xsize, in->Ysize, in->Bands, in->BandFmt);
  if (!out) {
    g_free(pixels);
    return NULL;
  }
  out->Type = in->Type;
  g_signal_connect(out, "postclose", G_CALLBACK(free_pixels), pixels);
  return out;
}

void trim_memory(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}
