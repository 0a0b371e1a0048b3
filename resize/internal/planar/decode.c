#include "planar.h"

#include <setjmp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jpeglib.h>
#include <jerror.h>

// In libjpeg's API 7 and 8, which libjpeg-turbo can be built for, blocks need not be square.
#if JPEG_LIB_VERSION >= 70
#define SCALED_ACROSS(component) ((component)->DCT_h_scaled_size)
#define SCALED_DOWN(component) ((component)->DCT_v_scaled_size)
#define LEAST_SCALED_DOWN(jpeg) ((jpeg)->min_DCT_v_scaled_size)
#else
#define SCALED_ACROSS(component) ((component)->DCT_scaled_size)
#define SCALED_DOWN(component) ((component)->DCT_scaled_size)
#define LEAST_SCALED_DOWN(jpeg) ((jpeg)->min_DCT_scaled_size)
#endif

#define MOST_ROWS (MAX_SAMP_FACTOR * DCTSIZE) // of a plane, in a row of MCUs
#define ROWS_AT_ONCE 32                       // of MCUs, until Go looks whether it is to go on

struct Decoder {
  struct jpeg_decompress_struct jpeg;
  struct jpeg_error_mgr errors;
  struct jpeg_source_mgr source;
  struct jpeg_progress_mgr progress;
  jmp_buf failed;
  Fault fault;
  size_t skip; // bytes of a segment that are still to come, and of no use
  int started;
  atomic_int stopped;
  Plane planes[3];
};

static void fail(j_common_ptr common) {
  Decoder *decoder = common->client_data;
  struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
  decoder->fault.code = common->err->msg_code;
  decoder->fault.row = jpeg->input_iMCU_row * jpeg->max_v_samp_factor * DCTSIZE;
  common->err->format_message(common, decoder->fault.text);
  longjmp(decoder->failed, 1);
}

// A warning ends the work as an error does: whether the picture is damaged is then found out by other means.
static void heed(j_common_ptr common, int level) {
  if (level < 0) fail(common);
}

static void say_nothing(j_common_ptr common) {
  (void) common;
}

static void nothing(j_decompress_ptr jpeg) {
  (void) jpeg;
}

// libjpeg gives up where it is and begins there again when it is called with more data.
static boolean suspend(j_decompress_ptr jpeg) {
  (void) jpeg;
  return FALSE;
}

static void skip_data(j_decompress_ptr jpeg, long size) {
  Decoder *decoder = jpeg->client_data;
  size_t there = (size_t) size < jpeg->src->bytes_in_buffer ? (size_t) size : jpeg->src->bytes_in_buffer;
  jpeg->src->next_input_byte += there;
  jpeg->src->bytes_in_buffer -= there;
  decoder->skip = size - there;
}

static void watch(j_common_ptr common) {
  Decoder *decoder = common->client_data;
  if (atomic_load_explicit(&decoder->stopped, memory_order_relaxed)) ERREXIT(common, JERR_CANT_SUSPEND);
}

Decoder *planar_new_decoder(void) {
  Decoder *decoder = calloc(1, sizeof(Decoder));
  if (!decoder) return NULL;
  struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
  jpeg->err = jpeg_std_error(&decoder->errors);
  decoder->errors.error_exit = fail;
  decoder->errors.emit_message = heed;
  decoder->errors.output_message = say_nothing;
  jpeg->client_data = decoder;
  if (setjmp(decoder->failed)) {
    planar_free_decoder(decoder);
    return NULL;
  }
  jpeg_create_decompress(jpeg);
  decoder->source = (struct jpeg_source_mgr) {
    .init_source = nothing, .fill_input_buffer = suspend, .skip_input_data = skip_data,
    .resync_to_restart = jpeg_resync_to_restart, .term_source = nothing,
  };
  jpeg->src = &decoder->source;
  decoder->progress.progress_monitor = watch;
  jpeg->progress = &decoder->progress;
  return decoder;
}

void planar_free_decoder(Decoder *decoder) {
  jpeg_destroy_decompress(&decoder->jpeg);
  for (int i = 0; i < 3; i++) planar_free_plane(&decoder->planes[i]);
  free(decoder);
}

// From any thread: what goes on in the decoder ends as if it had failed.
void planar_stop_decoder(Decoder *decoder) {
  atomic_store_explicit(&decoder->stopped, 1, memory_order_relaxed);
}

const int planar_no_memory = JERR_OUT_OF_MEMORY;

const Fault *planar_decoder_fault(const Decoder *decoder) {
  return &decoder->fault;
}

static void give(Decoder *decoder, const unsigned char *data, size_t size) {
  size_t skipped = decoder->skip < size ? decoder->skip : size;
  decoder->skip -= skipped;
  decoder->source.next_input_byte = data + skipped;
  decoder->source.bytes_in_buffer = size - skipped;
}

// Takes the data back, which is Go's, and returns how much is left of it.
static size_t take_back(Decoder *decoder) {
  size_t left = decoder->source.bytes_in_buffer;
  decoder->source.next_input_byte = NULL;
  decoder->source.bytes_in_buffer = 0;
  return left;
}

// Why a picture is left to others. Its colors must be what a JPEG without any word on them has, luma and chroma as in
// JFIF; and what the others don't decode isn't decoded here either.
static const char *declined(const struct jpeg_decompress_struct *jpeg) {
  if (jpeg->arith_code) return "it is coded arithmetically";
  if (jpeg->data_precision != 8) return "its samples are not of 8 bits";
  if (jpeg->num_components == 1) return NULL;
  if (jpeg->num_components != 3) return "it has neither one component nor three";
  if (jpeg->jpeg_color_space != JCS_YCbCr || (jpeg->saw_Adobe_marker && jpeg->Adobe_transform != 1)) return "its colors are not YCbCr";
  for (int i = 0; i < 3; i++) {
    const jpeg_component_info *component = &jpeg->comp_info[i];
    if (component->component_id != jpeg->comp_info[0].component_id + i || jpeg->comp_info[0].component_id > 1) {
      return "its components have unusual numbers";
    }
    if (jpeg->max_h_samp_factor % component->h_samp_factor || jpeg->max_v_samp_factor % component->v_samp_factor) {
      return "its chroma is subsampled by a fraction";
    }
  }
  return NULL;
}

static size_t rounded_up(size_t n, size_t to) {
  return (n + to - 1) / to * to;
}

// In whole MCUs, as libjpeg holds them.
static size_t coefficients(const struct jpeg_decompress_struct *jpeg) {
  size_t blocks = 0;
  for (int i = 0; i < jpeg->num_components; i++) {
    const jpeg_component_info *component = &jpeg->comp_info[i];
    blocks += rounded_up(component->width_in_blocks, component->h_samp_factor) * rounded_up(component->height_in_blocks, component->v_samp_factor);
  }
  return blocks * DCTSIZE2 * sizeof(JCOEF);
}

Progress planar_read_header(Decoder *decoder, const unsigned char *data, size_t size, size_t *used, Header *header) {
  struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
  give(decoder, data, size);
  if (setjmp(decoder->failed)) {
    take_back(decoder);
    return FAILED;
  }
  int read = jpeg_read_header(jpeg, TRUE);
  *used = size - take_back(decoder);
  if (read == JPEG_SUSPENDED) return MORE;
  *header = (Header) {
    .width = jpeg->image_width, .height = jpeg->image_height, .channels = jpeg->num_components,
    .coefficients = jpeg_has_multiple_scans(jpeg) ? coefficients(jpeg) : 0, .declined = declined(jpeg),
  };
  jpeg->raw_data_out = TRUE;
  jpeg->out_color_space = jpeg->jpeg_color_space;
  return DONE;
}

// Sets the shrink, 1, 2, 4 or 8, and tells how much memory the planes take then.
//
// libjpeg computes the inverse DCT of subsampled components at a larger size than that of the others, as far as they
// have the samples: at 1/2 the chroma of 4:2:0 loses nothing.
Progress planar_choose_shrink(Decoder *decoder, int shrink, size_t *bytes) {
  struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
  if (setjmp(decoder->failed)) return FAILED;
  jpeg->scale_num = 1;
  jpeg->scale_denom = shrink;
  jpeg_calc_output_dimensions(jpeg);
  *bytes = 0;
  for (int i = 0; i < jpeg->num_components; i++) {
    const jpeg_component_info *component = &jpeg->comp_info[i];
    Plane *plane = &decoder->planes[i];
    plane->width = component->downsampled_width;
    plane->height = component->downsampled_height;
    plane->across = (double) jpeg->image_width * component->h_samp_factor * SCALED_ACROSS(component) / (jpeg->max_h_samp_factor * DCTSIZE);
    plane->down = (double) jpeg->image_height * component->v_samp_factor * SCALED_DOWN(component) / (jpeg->max_v_samp_factor * DCTSIZE);
    size_t stride = (size_t) component->width_in_blocks * SCALED_ACROSS(component);
    plane->stride = (stride + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    *bytes += plane->stride * jpeg->total_iMCU_rows * component->v_samp_factor * SCALED_DOWN(component);
  }
  return DONE;
}

static Progress start(Decoder *decoder) {
  struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
  if (!jpeg_start_decompress(jpeg)) return MORE;
  for (int i = 0; i < jpeg->num_components; i++) {
    const jpeg_component_info *component = &jpeg->comp_info[i];
    if (!planar_allocate_plane(&decoder->planes[i], jpeg->total_iMCU_rows * component->v_samp_factor * SCALED_DOWN(component))) {
      ERREXIT1(jpeg, JERR_OUT_OF_MEMORY, 0);
    }
  }
  decoder->started = 1;
  return AGAIN;
}

static Progress decode_rows(Decoder *decoder) {
  struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
  unsigned lines = jpeg->max_v_samp_factor * LEAST_SCALED_DOWN(jpeg);
  JSAMPROW rows[3][MOST_ROWS];
  JSAMPARRAY planes[3] = {rows[0], rows[1], rows[2]};
  for (int n = 0; jpeg->output_scanline < jpeg->output_height; n++) {
    if (n == ROWS_AT_ONCE) return AGAIN;
    for (int i = 0; i < jpeg->num_components; i++) {
      int count = jpeg->comp_info[i].v_samp_factor * SCALED_DOWN(&jpeg->comp_info[i]);
      const Plane *plane = &decoder->planes[i];
      JSAMPROW first = plane->samples + plane->stride * count * (jpeg->output_scanline / lines);
      for (int row = 0; row < count; row++) rows[i][row] = first + plane->stride * row;
    }
    if (!jpeg_read_raw_data(jpeg, planes, lines)) return MORE;
  }
  return jpeg_finish_decompress(jpeg) ? DONE : MORE; // which reads up to the end marker
}

// Goes on with the data that begins with what was not used before. MORE: it wants what comes behind it; AGAIN: call it
// once more, with the rest; DONE: the planes are complete.
Progress planar_decode(Decoder *decoder, const unsigned char *data, size_t size, size_t *used) {
  give(decoder, data, size);
  if (setjmp(decoder->failed)) {
    take_back(decoder);
    return FAILED;
  }
  Progress progress = decoder->started ? decode_rows(decoder) : start(decoder);
  *used = size - take_back(decoder);
  return progress;
}

// The planes belong to the caller then.
void planar_take_planes(Decoder *decoder, Plane planes[3]) {
  memcpy(planes, decoder->planes, sizeof(decoder->planes));
  memset(decoder->planes, 0, sizeof(decoder->planes));
}
