#include <string.h>
#include "room.h"
#include "_cgo_export.h"

// A VipsSource that reads from Go. libvips's decoders ask for 4 KB at a time, and a call from C into Go takes longer than
// copying 4 KB does: 5 ms for a photo of 4 MB. So what Go gives is buffered here: little at first, when it may be the
// header alone that is wanted, then more.

#define FIRST_READ 4096
#define LARGEST_READ 131072

typedef struct {
  VipsSource parent;
  uintptr_t reader;  // Go's, a cgo.Handle; 0: none yet
  size_t ask;        // how much to read next
  gboolean less;     // Go gave less than was asked for
  size_t next, size; // data[next..size) is still to be handed out
  unsigned char *data; // LARGEST_READ of them: an instance itself is at most 64 KB
} ReaderSource;
typedef VipsSourceClass ReaderSourceClass;
G_DEFINE_TYPE(ReaderSource, reader_source, VIPS_TYPE_SOURCE)

// Fills what it is given, as far as there is something: the TIFF decoder of libvips before 8.15 takes a short read for
// a broken file. But it doesn't go on where Go gave less than it could have: who gives the bytes may want to know whether
// what follows is asked for.
static gint64 reader_source_read(VipsSource *source, void *to, size_t length) {
  ReaderSource *own = (ReaderSource *) source;
  size_t done = 0;
  while (done < length) {
    if (own->next == own->size) {
      if (done > 0 && own->less) return done;
      gint64 n = readFromGo(own->reader, own->data, own->ask);
      if (n <= 0) return done > 0 ? (gint64) done : n;
      own->next = 0;
      own->size = n;
      own->less = (size_t) n < own->ask;
      own->ask = MIN(2 * own->ask, LARGEST_READ);
    }
    size_t n = MIN(length - done, own->size - own->next);
    memcpy((unsigned char *) to + done, own->data + own->next, n);
    own->next += n;
    done += n;
  }
  return done;
}

static gint64 reader_source_seek(VipsSource *source, gint64 offset, int whence) {
  ReaderSource *own = (ReaderSource *) source;
  if (whence == SEEK_CUR) offset -= own->size - own->next; // Go is that far ahead
  gint64 position = seekInGo(own->reader, offset, whence);
  if (position >= 0) own->next = own->size = 0; // else the source can't seek: nothing has changed
  return position;
}

static void reader_source_finalize(GObject *object) {
  ReaderSource *own = (ReaderSource *) object;
  if (own->reader) forgetReader(own->reader);
  g_free(own->data);
  G_OBJECT_CLASS(reader_source_parent_class)->finalize(object);
}

static void reader_source_class_init(ReaderSourceClass *class) {
  G_OBJECT_CLASS(class)->finalize = reader_source_finalize;
  VIPS_OBJECT_CLASS(class)->nickname = "source_reader";
  VIPS_OBJECT_CLASS(class)->description = "a reader of Go";
  class->read = reader_source_read;
  class->seek = reader_source_seek;
}

static void reader_source_init(ReaderSource *own) {
  own->ask = FIRST_READ;
  own->data = g_malloc(LARGEST_READ);
}

// Takes the reader, also where it fails.
VipsSource *room_source(uintptr_t reader) {
  ReaderSource *own = g_object_new(reader_source_get_type(), NULL);
  own->reader = reader;
  if (vips_object_build(VIPS_OBJECT(own))) {
    g_object_unref(own);
    return NULL;
  }
  return VIPS_SOURCE(own);
}
