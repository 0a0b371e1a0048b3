//go:build heic

// A loader of HEIC for libvips, whose prebuilt library has none: libheif reads the container, libde265 (hevc.c) decodes
// what is in it. To the rest of the package a HEIC is a picture like any other.

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <libheif/heif.h>
#include <vips/vips.h>

void *nclxICC(struct heif_color_profile_nclx *nclx, size_t *size);
struct heif_error hevc_register(void);
size_t hevc_most_pixels(void);

typedef struct {
  VipsForeignLoad parent;
  VipsSource *source;
  struct heif_context *context;
  struct heif_image_handle *handle;
  struct heif_image *image; // decoded
} HeicLoad;
typedef VipsForeignLoadClass HeicLoadClass;
G_DEFINE_TYPE(HeicLoad, heic_load, VIPS_TYPE_FOREIGN_LOAD)

static int decoding_threads;

static int failed(struct heif_error error) {
  if (error.code == heif_error_Ok) return 0;
  vips_error("heicload", "%s", error.message);
  return -1;
}

static int set_icc(HeicLoad *heic, VipsImage *image) {
  // Of both kinds, an ICC profile says more.
  size_t size = heif_image_handle_get_raw_color_profile_size(heic->handle);
  if (size > 0) {
    void *profile = g_try_malloc(size);
    if (!profile || failed(heif_image_handle_get_raw_color_profile(heic->handle, profile))) {
      g_free(profile);
      return -1;
    }
    vips_image_set_blob(image, VIPS_META_ICC_NAME, (VipsCallbackFn) vips_area_free_cb, profile, size);
    return 0;
  }
  struct heif_color_profile_nclx *nclx = NULL;
  if (heif_image_handle_get_nclx_color_profile(heic->handle, &nclx).code != heif_error_Ok) return 0; // there is none
  void *profile = nclxICC(nclx, &size);
  heif_nclx_color_profile_free(nclx);
  if (profile) vips_image_set_blob_copy(image, VIPS_META_ICC_NAME, profile, size);
  free(profile);
  return 0;
}

static int set_header(HeicLoad *heic, VipsImage *image) {
  // libheif applies what is stored of rotation, mirroring and cropping, and this size is that of the result. The EXIF
  // orientation says the same once more; it stays behind, or the picture would be turned twice.
  int width = heif_image_handle_get_width(heic->handle), height = heif_image_handle_get_height(heic->handle);
  int bands = heif_image_handle_has_alpha_channel(heic->handle) ? 4 : 3;
  gboolean deep = heif_image_handle_get_luma_bits_per_pixel(heic->handle) > 8;
  vips_image_init_fields(image, width, height, bands, deep ? VIPS_FORMAT_USHORT : VIPS_FORMAT_UCHAR, VIPS_CODING_NONE,
    deep ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB, 1, 1);
  return vips_image_pipelinev(image, VIPS_DEMAND_STYLE_THINSTRIP, NULL) || set_icc(heic, image);
}

static int header(VipsForeignLoad *load) {
  HeicLoad *heic = (HeicLoad *) load;
  static gsize registered; // not before the first HEIC: it must not slow down the start
  if (g_once_init_enter(&registered)) g_once_init_leave(&registered, hevc_register().code == heif_error_Ok ? 1 : 2);
  if (registered != 1) {
    vips_error("heicload", "%s", "libheif does not take the decoder");
    return -1;
  }

  size_t size;
  const void *file = vips_source_map(heic->source, &size);
  if (!file || !(heic->context = heif_context_alloc())) return -1;
  heif_context_set_max_decoding_threads(heic->context, decoding_threads > 1 ? decoding_threads : 0);
  return failed(heif_context_read_from_memory_without_copy(heic->context, file, size, NULL)) ||
    failed(heif_context_get_primary_image_handle(heic->context, &heic->handle)) ||
    set_header(heic, load->out);
}

// Samples of more than 8 bits come at the low end of 16.
static void widen(uint16_t *to, const uint16_t *from, int samples, int bits) {
  for (int i = 0; i < samples; i++) to[i] = from[i] << (16 - bits) | from[i] >> (2 * bits - 16);
}

// Divides colors that are stored weighted by alpha.
#define UNWEIGHT(name, sample, most) \
  static void name(sample *at, int pixels) { \
    for (; pixels > 0; pixels--, at += 4) \
      for (int i = 0; at[3] > 0 && i < 3; i++) at[i] = MIN(most, ((uint64_t) at[i] * most + at[3] / 2) / at[3]); \
  }
UNWEIGHT(unweight8, uint8_t, 255)
UNWEIGHT(unweight16, uint16_t, 65535)

static int generate(VipsRegion *out, void *sequence, void *a, void *b, gboolean *stop) {
  (void) sequence;
  (void) b;
  (void) stop;
  HeicLoad *heic = a;
  int stride, bits = heif_image_get_bits_per_pixel_range(heic->image, heif_channel_interleaved);
  gboolean weighted = out->im->Bands == 4 && heif_image_handle_is_premultiplied_alpha(heic->handle);
  const uint8_t *pixels = heif_image_get_plane_readonly(heic->image, heif_channel_interleaved, &stride);
  for (int y = 0; y < out->valid.height; y++) {
    VipsPel *to = VIPS_REGION_ADDR(out, out->valid.left, out->valid.top + y);
    const uint8_t *from = pixels + (size_t) (out->valid.top + y) * stride + (size_t) out->valid.left * VIPS_REGION_SIZEOF_PEL(out);
    if (bits > 8)
      widen((uint16_t *) to, (const uint16_t *) from, VIPS_REGION_N_ELEMENTS(out), bits);
    else
      memcpy(to, from, VIPS_REGION_SIZEOF_LINE(out));
    if (weighted && bits > 8)
      unweight16((uint16_t *) to, out->valid.width);
    else if (weighted)
      unweight8(to, out->valid.width);
  }
  return 0;
}

#if LIBHEIF_NUMERIC_VERSION >= 0x01130000
static int cancelled(void *load) { return ((VipsForeignLoad *) load)->out->kill; }
#endif

static int decode(VipsForeignLoad *load) {
  HeicLoad *heic = (HeicLoad *) load;
  heif_context_set_maximum_image_size_limit(heic->context, ceil(sqrt(hevc_most_pixels()))); // side of a square
  struct heif_decoding_options *options = heif_decoding_options_alloc();
  options->strict_decoding = 1; // libheif 1.23 leaves out tiles that are missing
#if LIBHEIF_NUMERIC_VERSION >= 0x01130000
  options->cancel_decoding = cancelled;
  options->progress_user_data = load;
#endif
  gboolean deep = load->out->BandFmt == VIPS_FORMAT_USHORT, alpha = load->out->Bands == 4;
  enum heif_chroma chroma = deep
    ? (alpha ? heif_chroma_interleaved_RRGGBBAA_LE : heif_chroma_interleaved_RRGGBB_LE)
    : (alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB);
  int result = failed(heif_decode_image(heic->handle, &heic->image, heif_colorspace_RGB, chroma, options));
  heif_decoding_options_free(options);
  if (result) return -1;

  // What the header says is one thing, what the decoder found another.
  int bits = heif_image_get_bits_per_pixel_range(heic->image, heif_channel_interleaved);
  if (heif_image_get_primary_width(heic->image) != load->out->Xsize || heif_image_get_primary_height(heic->image) != load->out->Ysize ||
      heif_image_get_chroma_format(heic->image) != chroma || (deep ? bits <= 8 || bits > 16 : bits != 8)) {
    vips_error("heicload", "%s", "its pixels are not what its header says");
    return -1;
  }
  return set_header(heic, load->real) || vips_image_generate(load->real, NULL, generate, NULL, heic, NULL);
}

static VipsForeignFlags flags(VipsForeignLoad *load) {
  (void) load;
  return VIPS_FOREIGN_PARTIAL;
}

static void dispose(GObject *object) {
  HeicLoad *heic = (HeicLoad *) object;
  g_clear_pointer(&heic->image, heif_image_release);
  g_clear_pointer(&heic->handle, heif_image_handle_release);
  g_clear_pointer(&heic->context, heif_context_free);
  G_OBJECT_CLASS(heic_load_parent_class)->dispose(object);
}

static void heic_load_class_init(HeicLoadClass *class) {
  GObjectClass *object = G_OBJECT_CLASS(class);
  object->dispose = dispose;
  object->set_property = vips_object_set_property;
  object->get_property = vips_object_get_property;
  VIPS_OBJECT_CLASS(class)->nickname = "heicload_source";
  VIPS_OBJECT_CLASS(class)->description = "load HEIC";
  class->get_flags = flags;
  class->header = header;
  class->load = decode;
  VIPS_ARG_OBJECT(class, "source", 1, "Source", "Source to load from", VIPS_ARGUMENT_REQUIRED_INPUT,
    G_STRUCT_OFFSET(HeicLoad, source), VIPS_TYPE_SOURCE);
}

static void heic_load_init(HeicLoad *heic) { (void) heic; }

void heic_startup(int threads) {
  decoding_threads = threads;
  (void) heic_load_get_type();
}
