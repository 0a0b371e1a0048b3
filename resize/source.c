#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <vips/vips.h>
#include <jpeglib.h>

// libvips's decoders ask for 4 KB at a time, and each time C calls into Go, which takes longer than copying 4 KB does:
// 5 ms for a photo of 4 MB. So what Go gives is buffered here: little at first, when it may be the header alone that
// is wanted, then more. VipsSourceCustom has no other place for that than its class.

#define FIRST_READ 4096
#define LARGEST_READ 131072

typedef struct {
  gboolean jpeg;     // what was read begins as a JPEG does, and libjpeg does not read from here yet
  boolean (*fill)(j_decompress_ptr); // how libjpeg is given its data by libvips
  size_t ask;        // how much to read next
  gboolean less;     // Go gave less than was asked for
  size_t next, size; // data[next..size) is still to be handed out
  unsigned char data[LARGEST_READ];
} Buffer;

static GQuark buffer_quark;
static gint64 (*read_from_go)(VipsSource *, void *, size_t);
static gint64 (*seek_in_go)(VipsSource *, gint64, int);

static Buffer *buffer_of(VipsSource *source) {
  Buffer *buffer = g_object_get_qdata(G_OBJECT(source), buffer_quark);
  if (!buffer) {
    buffer = g_malloc(sizeof(Buffer));
    memset(buffer, 0, offsetof(Buffer, data));
    buffer->ask = FIRST_READ;
    g_object_set_qdata_full(G_OBJECT(source), buffer_quark, buffer, g_free);
  }
  return buffer;
}

// Reads anew; the buffer is empty. Returns how much there is now, 0 at the end, and less than 0 if Go fails.
static gint64 refill(VipsSource *source, Buffer *buffer) {
  gint64 n = read_from_go(source, buffer->data, buffer->ask);
  if (n <= 0) return n;
  if (buffer->ask == FIRST_READ) buffer->jpeg = n > 1 && buffer->data[0] == 0xff && buffer->data[1] == 0xd8;
  buffer->next = 0;
  buffer->size = n;
  buffer->less = (size_t) n < buffer->ask;
  buffer->ask = MIN(2 * buffer->ask, LARGEST_READ);
  return n;
}

// libjpeg decodes Huffman codes in a quick way as long as more data lies in memory than a few blocks can have, 3 KB of it
// for most pictures, else in one that takes twice as long. Of the 4 KB that libvips gives it at a time that leaves a
// quarter for the quick way. So libjpeg is given the buffer itself; it asks for that by a function of its API, which is
// changed for another one as soon as it is known where: when libvips first reads data that is to be decoded. With a
// version of libvips that keeps it elsewhere all stays as it was; `make bench` shows that.

// What libvips's loader has libjpeg read from (Source in jpeg2vips.c, the same from libvips 8.14 to 8.18).
typedef struct {
  struct jpeg_source_mgr pub;
  void *loader;
  VipsSource *source;
  unsigned char buf[4096];
} JpegSource;

static boolean fill_from_buffer(j_decompress_ptr cinfo) {
  JpegSource *jpeg = (JpegSource *) cinfo->src;
  Buffer *buffer = buffer_of(jpeg->source);
  if (buffer->next == buffer->size && refill(jpeg->source, buffer) <= 0) {
    jpeg->pub.fill_input_buffer = buffer->fill; // which makes up an end, and warns of it
    return buffer->fill(cinfo);
  }
  jpeg->pub.next_input_byte = buffer->data + buffer->next;
  jpeg->pub.bytes_in_buffer = buffer->size - buffer->next;
  buffer->next = buffer->size;
  return TRUE;
}

// Called when libvips reads data that is to be decoded, to memory that ends there.
static void give_buffer_to_libjpeg(VipsSource *source, Buffer *buffer, unsigned char *end) {
  JpegSource *jpeg = (JpegSource *) (end - offsetof(JpegSource, buf) - sizeof(jpeg->buf));
  const unsigned char *next = jpeg->pub.next_input_byte;
  buffer->jpeg = FALSE;
  if (jpeg->source != source || next < jpeg->buf || next > end || jpeg->pub.bytes_in_buffer > (size_t) (end - next)) return;
  buffer->fill = jpeg->pub.fill_input_buffer;
  jpeg->pub.fill_input_buffer = fill_from_buffer;
}

// Fills what it is given, as far as there is something: the TIFF decoder of libvips before 8.15 takes a short read for
// a broken file. But it doesn't go on where Go gave less than it could have: jpegEnd in ending.go wants to know whether
// what follows is asked for.
static gint64 buffered_read(VipsSource *source, void *to, size_t length) {
  Buffer *buffer = buffer_of(source);
  if (buffer->jpeg && source->decode) give_buffer_to_libjpeg(source, buffer, (unsigned char *) to + length);
  size_t done = 0;
  while (done < length) {
    if (buffer->next == buffer->size) {
      if (done > 0 && buffer->less) return done;
      gint64 n = refill(source, buffer);
      if (n <= 0) return done > 0 ? (gint64) done : n;
    }
    size_t n = MIN(length - done, buffer->size - buffer->next);
    memcpy((unsigned char *) to + done, buffer->data + buffer->next, n);
    buffer->next += n;
    done += n;
  }
  return done;
}

static gint64 buffered_seek(VipsSource *source, gint64 offset, int whence) {
  Buffer *buffer = buffer_of(source);
  if (whence == SEEK_CUR) offset -= buffer->size - buffer->next; // Go is that far ahead
  gint64 position = seek_in_go(source, offset, whence);
  if (position >= 0) buffer->next = buffer->size = 0; // else the source can't seek: nothing has changed
  return position;
}

void buffer_sources(void) {
  if (read_from_go) return;
  VipsSourceClass *class = g_type_class_ref(VIPS_TYPE_SOURCE_CUSTOM);
  buffer_quark = g_quark_from_static_string("s3resizer-buffer");
  read_from_go = class->read;
  seek_in_go = class->seek;
  class->read = buffered_read;
  class->seek = buffered_seek;
}
