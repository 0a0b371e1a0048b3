//go:build heic

// libheif's decoder of HEVC, which is libde265. libheif has a plugin of its own for it, but that one lets a picture of
// any size through, whatever the file's header said, and of a damaged one what is there: around it, what the memory held
// before, which may be somebody else's picture.

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <libde265/de265.h>
#include <libheif/heif_plugin.h>

// One number for all: libheif hands nothing of its context on to the decoder.
static size_t most_pixels;

// A quarter more is for what is cut off, and a little for the padding to whole blocks and tiles.
void heic_limit(size_t pixels) { __atomic_store_n(&most_pixels, pixels + pixels / 4 + 512 * 512, __ATOMIC_RELAXED); }

size_t hevc_most_pixels(void) { return __atomic_load_n(&most_pixels, __ATOMIC_RELAXED); }

typedef struct {
  de265_decoder_context *context;
  int pictures;
  struct de265_image_spec spec; // of the picture
  uintptr_t id;                 // libheif's name for it
} Decoder;

static const struct heif_error ok = {heif_error_Ok, heif_suberror_Unspecified, "Success"};
static const struct heif_error damaged = {heif_error_Decoder_plugin_error, heif_suberror_Unspecified, "the HEVC picture is damaged"};

static const char *name(void) { return "s3resizer's libde265"; }

static int priority(enum heif_compression_format format) { return format == heif_compression_HEVC ? 200 : 0; }

// Every block of 16 × 16 pixels, the least that is coded by itself, has a mark in its middle, where the filter of the
// blocks around it does not reach. A mark that is still there after decoding shows that the block was left out: libde265
// takes a slice that ends too early for a whole one.
#define BLOCK 16
#define MARK_AT 6
static const uint16_t mark[2][4] = {{0x0d3e, 0x02a1, 0x03f7, 0x0158}, {0x0191, 0x03ce, 0x0066, 0x02bb}};

// Sets the marks, or reports whether one is there. Samples of more than 8 bits have two bytes.
static int marks(uint8_t *luma, size_t stride, int bytes, const struct de265_image_spec *spec, int set) {
  for (int top = 0; top + BLOCK <= spec->height; top += BLOCK)
    for (int left = 0; left + BLOCK <= spec->width; left += BLOCK) {
      int same = 0;
      for (int row = 0; row < 2; row++)
        for (int column = 0; column < 4; column++) {
          uint8_t *sample = luma + (top + MARK_AT + row) * stride + (size_t) (left + MARK_AT + column) * bytes;
          if (set)
            memcpy(sample, &mark[row][column], bytes);
          else
            same += memcmp(sample, &mark[row][column], bytes) == 0;
        }
      if (same == 8) return 1;
    }
  return 0;
}

// An item is one picture: more of them would only take memory.
static int get_buffer(de265_decoder_context *context, struct de265_image_spec *spec, struct de265_image *image, void *data) {
  (void) context;
  Decoder *decoder = data;
  if ((size_t) spec->width * spec->height > hevc_most_pixels() || decoder->pictures++ > 0) return 0;
  decoder->spec = *spec;
  enum de265_chroma chroma = de265_get_chroma_format(image);
  for (int i = 0; i < (chroma == de265_chroma_mono ? 1 : 3); i++) {
    int width = i > 0 && chroma != de265_chroma_444 ? spec->width / 2 : spec->width;
    int height = i > 0 && chroma == de265_chroma_420 ? spec->height / 2 : spec->height;
    int bytes = de265_get_bits_per_pixel(image, i) > 8 ? 2 : 1;
    int stride = (width + spec->alignment - 1) / spec->alignment * spec->alignment * bytes;
    size_t size = (size_t) stride * height + 64; // libde265 reads a little beyond the end
    void *plane;
    if (posix_memalign(&plane, 64, size)) return 0;
    memset(plane, 0, size);
    de265_set_image_plane(image, i, plane, stride, plane);
    if (i == 0) marks(plane, stride, bytes, spec, 1);
  }
  return 1;
}

static void release_buffer(de265_decoder_context *context, struct de265_image *image, void *data) {
  (void) context;
  (void) data;
  for (int i = 0; i < 3; i++) {
    free(de265_get_image_plane_user_data(image, i));
    de265_set_image_plane(image, i, NULL, 0, NULL);
  }
}

// hole reports whether a part of the picture was never decoded.
static int hole(Decoder *decoder, const struct de265_image *picture) {
  int stride, bytes = de265_get_bits_per_pixel(picture, 0) > 8 ? 2 : 1;
  const uint8_t *shown = de265_get_image_plane(picture, 0, &stride); // less what is cropped
  const uint8_t *luma = shown - (ptrdiff_t) decoder->spec.crop_top * stride - decoder->spec.crop_left * bytes;
  return marks((uint8_t *) luma, stride, bytes, &decoder->spec, 0);
}

static struct heif_error new_decoder(void **out) {
  Decoder *decoder = calloc(1, sizeof(Decoder));
  if (!decoder || !(decoder->context = de265_new_decoder())) {
    free(decoder);
    return damaged;
  }
  de265_set_parameter_bool(decoder->context, DE265_DECODER_PARAM_SUPPRESS_FAULTY_PICTURES, 1);
  // libde265 asks for memory here only where its last filter, sample adaptive offset, is off. That costs 0.04 dB at full
  // size and nothing measurable in a rendition; in its memory, 57 of 200 damaged pictures passed, here 1 does.
  de265_set_parameter_bool(decoder->context, DE265_DECODER_PARAM_DISABLE_SAO, 1);
  static struct de265_image_allocation allocation = {get_buffer, release_buffer};
  de265_set_image_allocation_functions(decoder->context, &allocation, decoder);
  *out = decoder;
  return ok;
}

static void free_decoder(void *data) {
  Decoder *decoder = data;
  de265_free_decoder(decoder->context);
  free(decoder);
}

// The data are NAL units, each after its length in four bytes.
static struct heif_error push_data(void *data, const void *bytes, size_t size) {
  Decoder *decoder = data;
  for (const uint8_t *at = bytes, *end = at + size; at < end;) {
    if (end - at < 4) return damaged;
    size_t length = (size_t) at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
    at += 4;
    if (length > (size_t) (end - at) || de265_push_NAL(decoder->context, at, length, 0, NULL) != DE265_OK) return damaged;
    at += length;
  }
  return ok;
}

// libde265 warns of slices that it leaves out, too, and then hands out a picture with grey in their place.
static int faulty(Decoder *decoder) {
  for (;;) {
    switch (de265_get_warning(decoder->context)) {
      case DE265_OK:
        return 0;
      case DE265_WARNING_NO_WPP_CANNOT_USE_MULTITHREADING:
      case DE265_WARNING_INCORRECT_ENTRY_POINT_OFFSET:
      case DE265_WARNING_SPS_MISSING_CANNOT_DECODE_SEI:
        break;
      default:
        return 1;
    }
  }
}

static struct heif_error to_heif(const struct de265_image *from, struct heif_image **out) {
  enum de265_chroma chroma = de265_get_chroma_format(from);
  int planes = chroma == de265_chroma_mono ? 1 : 3, bits = de265_get_bits_per_pixel(from, 0);
  struct heif_error error = heif_image_create(de265_get_image_width(from, 0), de265_get_image_height(from, 0),
    chroma == de265_chroma_mono ? heif_colorspace_monochrome : heif_colorspace_YCbCr, (enum heif_chroma) chroma, out);
  const enum heif_channel channels[] = {heif_channel_Y, heif_channel_Cb, heif_channel_Cr};
  for (int i = 0; i < planes && error.code == heif_error_Ok; i++) {
    int width = de265_get_image_width(from, i), height = de265_get_image_height(from, i);
    if (de265_get_bits_per_pixel(from, i) != bits) return damaged; // allowed by the standard, but by no phone
    error = heif_image_add_plane(*out, channels[i], width, height, bits);
    if (error.code != heif_error_Ok) break;
    int stride, from_stride;
    uint8_t *row = heif_image_get_plane(*out, channels[i], &stride);
    const uint8_t *from_row = de265_get_image_plane(from, i, &from_stride);
    for (int y = 0; y < height; y++, row += stride, from_row += from_stride) memcpy(row, from_row, (size_t) width * (bits > 8 ? 2 : 1));
  }
  return error;
}

// What the picture itself says of its colors counts where the file does not say more.
static void set_nclx(const struct de265_image *from, struct heif_image *image) {
  struct heif_color_profile_nclx *nclx = heif_nclx_color_profile_alloc();
  if (!nclx) return;
  heif_nclx_color_profile_set_color_primaries(nclx, de265_get_image_colour_primaries(from));
  heif_nclx_color_profile_set_transfer_characteristics(nclx, de265_get_image_transfer_characteristics(from));
  heif_nclx_color_profile_set_matrix_coefficients(nclx, de265_get_image_matrix_coefficients(from));
  nclx->full_range_flag = de265_get_image_full_range_flag(from);
  heif_image_set_nclx_color_profile(image, nclx);
  heif_nclx_color_profile_free(nclx);
}

static struct heif_error decode_image(void *data, struct heif_image **out) {
  Decoder *decoder = data;
  const struct de265_image *picture = NULL;
  *out = NULL;
  de265_flush_data(decoder->context);
  for (int more = 1; more && !picture; picture = de265_get_next_picture(decoder->context))
    if (de265_decode(decoder->context, &more) != DE265_OK) return damaged;
  if (!picture || decoder->pictures != 1 || faulty(decoder) || hole(decoder, picture)) return damaged;

  struct heif_error error = to_heif(picture, out);
  if (error.code != heif_error_Ok) {
    if (*out) heif_image_release(*out);
    *out = NULL;
    return error;
  }
  set_nclx(picture, *out);
  return ok;
}

#if LIBHEIF_HAVE_VERSION(1, 21, 0)
// Since then libheif takes no decoders but those of its fifth interface, which can do sequences, too. Here it is one picture.

static int priority_of(const heif_decoder_plugin_compressed_format_description *what) { return priority(what->format); }

static struct heif_error new_decoder_with(void **out, const heif_decoder_plugin_options *options) {
  (void) options; // how many threads, is libde265's own affair: it starts none unless it has to
  return new_decoder(out);
}

static struct heif_error push_picture(void *data, const void *bytes, size_t size, uintptr_t id) {
  ((Decoder *) data)->id = id;
  return push_data(data, bytes, size);
}

static struct heif_error flush(void *data) {
  (void) data;
  return ok; // decode_image does it
}

static struct heif_error decode_picture(void *data, struct heif_image **out, uintptr_t *id, const heif_security_limits *limits) {
  (void) limits; // they are kept in get_buffer
  if (id) *id = ((Decoder *) data)->id;
  return decode_image(data, out);
}
#endif

struct heif_error hevc_register(void) {
  static const struct heif_decoder_plugin plugin = {
    .get_plugin_name = name,
    .does_support_format = priority,
    .new_decoder = new_decoder,
    .free_decoder = free_decoder,
    .push_data = push_data,
    .decode_image = decode_image,
#if LIBHEIF_HAVE_VERSION(1, 21, 0)
    .plugin_api_version = 5,
    .id_name = "s3resizer",
    .minimum_required_libheif_version = LIBHEIF_MAKE_VERSION(1, 21, 0),
    .does_support_format2 = priority_of,
    .new_decoder2 = new_decoder_with,
    .push_data2 = push_picture,
    .flush_data = flush,
    .decode_next_image2 = decode_picture,
#else
    .plugin_api_version = 1,
#endif
  };
  struct heif_error error = heif_init(NULL);
  return error.code != heif_error_Ok ? error : heif_register_decoder_plugin(&plugin);
}
