/*
 * The hand-over, as a model for Spin: one thread slot, used by two threads one after the other, and the flusher.
 *
 * It follows src/front/trip.cpp (the thread), src/flusher/round.cpp and flusher.cpp (the flusher). Each access to an atomic that
 * another thread can notice is one step, an atomic block here. Accesses to plain memory, and to a buffer's state while only its
 * holder looks at it, belong to the step beside them; who holds a buffer is asserted at each. Steps are sequentially consistent.
 * What acquire and release must add to that is argued in docs/design/memory_ordering.md and watched by ThreadSanitizer.
 *
 * What is nondeterministic, and so explored in full: which records are held, passed or trip; whether a hand-over moves the buffer
 * or copies it; whether a storm suppresses it; when scopes and threads end; when flush and stop are called; whether the flusher
 * hangs for ever, and where; and each time that the queue says "empty" although it is not. That answer is not counted: it may be
 * given without end, since rounds are not counted either, and the states are finite all the same.
 *
 * Each record that trips or passes has its outbox entry prepared before the hand-over, as one that passes has in the code; one that
 * only scopes want prepares it after a refusal there, when nothing of the record has changed.
 *
 * What is left out: levels and loggers; segments and what they forget; handlers that fail; memory that runs out. There is one
 * target, which is the scopes' and the logger's handler at once. A copy takes all that is held and not yet told.
 *
 * Ghosts are what the model knows and the program does not. Each thing published, a hand-over or an outbox entry, has a serial
 * number. Of the records one is watched, any one: no step depends on which record is which, so what holds for the watched one
 * holds for all.
 *
 * What a search is about is chosen from outside, see run_spin.sh: MAY_STOP, MAY_FLUSH, MAY_HANG, WATCH_A_RECORD. Each MUTATION_
 * is a mistake that somebody could make, and Spin must find every one of them. No mistake, and so not among them, is to note the
 * outbox and the hand-overs after the queue was emptied: the gaps and the count still hold, but a round is seldom complete.
 */

#ifndef RECORDS
#define RECORDS 4 /* logged at most, by both threads together */
#endif
#define BUFFERS 2
#define THREADS 2
#define NONE BUFFERS

/* The outbox's ring has room for two entries and a rest, so that every other entry has a filler before it. */
#define RING 5
#define ENTRY 2
#define RESERVED 1 /* for tripping records alone */

mtype = { free, owned, queued, flushing };                       /* the states of a buffer */
mtype = { thread_has, queue_has, flusher_has };                  /* ghost: who holds it */
mtype = { running, stopping, ended };                            /* the state of the flusher */
mtype = { to_come, held, lost, told, written, gone };             /* ghost: what became of the watched record */

typedef buffer {
  mtype state;
  byte sequence;
  byte outbox_position;
  byte thread_id;
  bool has_watched;
  bool left_out; /* flags of the watched record: dumps leave it out, as it was passed or dumped before */
  byte serial;   /* ghost */
  mtype holder   /* ghost */
};

typedef outbox_entry {
  bool filler;
  bool in_dump;
  byte thread_id;
  byte hand_overs_before;
  bool has_watched;
  byte position; /* ghost: where it stands, to see that nobody wrote over it */
  byte dump;     /* ghost: sequence of the hand-over that its record may cause */
  byte serial    /* ghost */
};

/* --- the slot, shared --- */
buffer b[BUFFERS];
chan queue = [BUFFERS] of { byte };
outbox_entry ring[RING];
byte head;
byte tail;
byte hand_overs_published;
bool attached;
bool accepting = true;

/* --- the slot, the thread's own; the next thread finds it as it was left --- */
byte current;
byte hand_overs;
byte next;
byte known_tail;
byte thread_id;

/* --- behind the flusher's mutex --- */
mtype phase = running;
bool ticket_given; /* tickets_: flush is called once */
bool fulfilled;

/* --- ghosts --- */
byte logged;
byte last_serial;     /* published: in the queue, or before the outbox's head */
byte visible;         /* published, and the thread has said so: flush and stop must write all up to here */
byte serials_written; /* dealt with by the flusher */
byte promised;        /* visible when flush gave out its ticket, or when the runtime ceased to accept; 0 once it is written */
mtype watched = to_come;
byte watched_by;      /* the thread that logged it */
byte threads_ended;

/* ================================================= the thread ================================================= */

/* Plain access to a buffer. Besides its own, the thread writes only free ones. */
#define thread_touches(i) assert(b[i].holder == thread_has && (b[i].state == owned || b[i].state == free))

#define slot_here ring[next % RING]
#define to_end (RING - next % RING)
#define needed (ENTRY > to_end -> to_end + ENTRY : ENTRY)
#define bound (tripping -> RING : RING - RESERVED)
#ifdef MUTATION_OUTBOX_IS_NEVER_FULL
#define is_full false
#else
#define is_full (next - known_tail + needed > bound)
#endif

/* The watched record is in the queue or in the outbox, where it was not before; it may have counted as lost. */
inline tell_watched()
{
  assert(watched == held || watched == lost);
  watched = told
}

/* The second half of outbox::prepare, and prepare_entry: the record's copy, not published yet. */
inline write_copy()
{
  if
  :: needed > ENTRY ->
    slot_here.filler = true;
    slot_here.position = next;
    next = next + to_end
  :: else
  fi;
  slot_here.filler = false;
  slot_here.position = next;
  slot_here.has_watched = is_watched;
  slot_here.thread_id = thread_id;
  slot_here.dump = hand_overs + 1;
  prepared = true
}

/* A statement whose record trips scopes or passes, up to its copy. The tail is loaded only when the ring seems full. */
inline begin_trip()
{
  if
  :: !accepting -> /* attend_stopped */
    if
    :: is_watched -> watched = lost
    :: else
    fi;
    goto statement_ends
  :: accepting && !is_full -> write_copy()
  :: accepting && is_full -> seems_full = true
  fi
}

/* outbox::publish: one release store. Then settle_passed, unless the record is gone. */
inline publish(handed)
{
  last_serial++;
  slot_here.in_dump = handed;
  slot_here.hand_overs_before = hand_overs;
  slot_here.serial = last_serial;
  next = next + ENTRY;
  head = next;
  visible = last_serial;
  if
#ifdef MUTATION_THREAD_MARKS_A_RECORD_THAT_WENT
  :: handed -> thread_touches(out)
#endif
  :: !handed ->
    thread_touches(current);
    if
    :: is_watched -> tell_watched(); b[current].left_out = true
    :: else
    fi
  :: else
  fi
}

/* Without a free buffer, or in a storm: the scope goes on holding. What it holds is lost until a later dump tells it after all. */
inline owe()
{
  if
  :: b[current].has_watched && watched == held -> watched = lost
  :: else
  fi
}

/* thread_slot::free_buffer. One load is another thread's business, as the buffer besides the current one is one. */
inline find_free()
{
  spare = 0;
  do
#ifdef MUTATION_THREAD_TAKES_A_QUEUED_BUFFER
  :: spare < BUFFERS && (b[spare].state == free || b[spare].state == queued) -> break
#else
  :: spare < BUFFERS && b[spare].state == free -> break
#endif
  :: else ->
    if
    :: spare < BUFFERS -> spare++
    :: else -> break
    fi
  od;
#ifdef MUTATION_THREAD_WAITS_FOR_A_FREE_BUFFER
  b[1 - current].state == free
#endif
}

/* Fills in `out`: the current buffer, or a copy of it in the spare one. */
inline address()
{
  if
  :: out = current; /* Every open scope tripped. */
  :: out = spare;   /* Another scope goes on holding the records. */
    thread_touches(spare);
    b[spare].has_watched = b[current].has_watched;
    b[spare].left_out = b[current].left_out
  fi;
  thread_touches(out);
  b[out].sequence = hand_overs + 1;
  b[out].outbox_position = next;
  b[out].thread_id = thread_id;
  b[out].state = queued
}

inline enqueue()
{
  assert(nfull(queue)); /* The queue has room for all buffers: the enqueue neither fails nor waits. */
  queue ! out;
  b[out].holder = queue_has;
  last_serial++;
  b[out].serial = last_serial;
  if
  :: b[out].has_watched && !b[out].left_out -> tell_watched()
  :: else
  fi
}

/* hand_overs_published, one release store, and what the thread does with its own buffers then. */
inline note_hand_over()
{
  hand_overs++;
  hand_overs_published = hand_overs;
  visible = last_serial;
  went = true;
  if
  :: out == current -> /* The buffer moved. */
    thread_touches(spare);
    b[spare].state = owned;
    current = spare
  :: else -> /* mark_written: the scope that goes on holding the records must not write them again. */
    thread_touches(current);
    b[current].left_out = b[current].has_watched
  fi
}

/* The end of the outermost scope: what it holds is forgotten. */
inline rewind()
{
  thread_touches(current);
  if
  :: b[current].has_watched && (watched == held || watched == lost) -> watched = gone; watched_by = 0
  :: else
  fi;
  b[current].has_watched = false;
  b[current].left_out = false
}

proctype thread(byte id)
{
  bool tripping, routed, is_watched, seems_full, prepared, went;
  byte spare, out;

end_elsewhere:
  /* try_attach. Were the slot taken, the thread would have another one. */
  atomic {
    !attached && threads_ended + 1 == id -> attached = true; thread_id = id;
#ifdef MUTATION_SLOT_REUSE_RESETS_THE_SEQUENCE
    hand_overs = 0
#endif
  };

between_statements:
  atomic {
    if
    :: logged < RECORDS -> /* A statement: the record enters the buffer. */
      logged++;
      thread_touches(current);
      assert(b[current].state == owned);
      if
#ifdef WATCH_A_RECORD
      :: watched == to_come -> watched = held; watched_by = id; is_watched = true; b[current].has_watched = true
#endif
      :: true
      fi;
      if
      :: goto statement_ends             /* It is held, */
      :: routed = true                   /* or a handler wants it, */
      :: tripping = true                 /* or scopes trip, */
      :: routed = true; tripping = true  /* or both. */
      fi;
      begin_trip()
    :: b[current].has_watched -> rewind(); goto between_statements
    :: goto thread_ends
    fi
  };

  if
  :: atomic { seems_full -> known_tail = tail;
      if
      :: !is_full -> write_copy()
      :: else
      fi;
      seems_full = false
    }
  :: else
  fi;

#ifdef MUTATION_ENTRY_PUBLISHED_BEFORE_ITS_HAND_OVER
  if
  :: atomic { prepared && tripping && routed -> publish(true); prepared = false; routed = false }
  :: else
  fi;
#endif

  if
  :: atomic { tripping -> find_free();
      if
      :: spare == NONE -> owe(); goto handed_or_not
      :: spare != NONE -> owe(); goto handed_or_not /* storm_board::suppress, which asks nobody but chance here */
      :: spare != NONE -> address()
      fi
    };
    atomic { enqueue() };
    /* `out` is not ours any more. */
    atomic { note_hand_over(); if :: !routed -> goto statement_ends :: else fi } /* The dump has it: no entry is needed. */
  :: else
  fi;

handed_or_not:
  atomic {
    if
    :: prepared -> publish(went)
    :: else -> /* outbox_full counts it. */
      if
      :: is_watched && !went && watched == held -> watched = lost
      :: else
      fi
    fi
  };

statement_ends:
  atomic {
    tripping = false; routed = false; is_watched = false; prepared = false; went = false; spare = 0; out = 0;
    goto between_statements
  };

thread_ends:
  atomic { /* detach */
#ifndef MUTATION_THREAD_END_KEEPS_WHAT_IT_HELD
    rewind();
#endif
    attached = false;
    threads_ended++
  }
}

/* ================================================= the flusher ================================================= */

chan taken = [BUFFERS] of { byte }; /* flusher_side: the slot's buffers that were taken and are not yet written */

/* Things are written in the order in which they were published, and nothing is left out. */
inline write_next(its_serial)
{
  assert(its_serial == serials_written + 1);
  serials_written = its_serial;
  if
  :: serials_written >= promised -> promised = 0 /* kept: never to be looked at again */
  :: else
  fi
}

/* The watched record reaches the handler. */
inline write_watched(its_thread)
{
  assert(watched == told); /* Nothing is written twice, and nothing that counts as lost or discarded. */
  assert(its_thread == watched_by);
  watched = written;
  watched_by = 0
}

#define entry_at(p) ring[(p) % RING]

/* delivery::write_out: entries gathered are read in the ring, and written. */
inline write_gathered()
{
  do
  :: gathered < at ->
    assert(entry_at(gathered).position == gathered); /* nobody wrote over it */
    if
    :: entry_at(gathered).filler -> gathered = gathered + RING - gathered % RING
    :: else ->
      write_next(entry_at(gathered).serial);
      assert(!entry_at(gathered).in_dump || entry_at(gathered).dump == sequence_written); /* `last_targets` is of its dump */
      if
      :: entry_at(gathered).has_watched && !entry_at(gathered).in_dump -> write_watched(entry_at(gathered).thread_id)
      :: else
      fi;
      gathered = gathered + ENTRY
    fi
  :: else -> break
  od
}

#ifdef MUTATION_FLUSHER_IGNORES_THE_GAP
#define comes_too_early(entry) false
#else
#define comes_too_early(entry) (entry.hand_overs_before > sequence_written)
#endif

/* outbox::release, one release store. Nor is anything kept of the entries but their places. */
inline give_entries_back()
{
  do
  :: tail < at ->
    given = tail % RING;
    tail = (ring[given].filler -> tail + RING - given : tail + ENTRY);
    ring[given].filler = false; ring[given].in_dump = false; ring[given].has_watched = false; ring[given].thread_id = 0;
    ring[given].hand_overs_before = 0; ring[given].dump = 0; ring[given].serial = 0;
    worked = true
  :: else -> given = 0; break
  od
}

/* Gathers entries up to `limit`; not `whole` when a hand-over that comes first has not arrived. */
inline write_entries(limit)
{
  do
  :: whole && at < limit ->
    assert(entry_at(at).position == at);
    if
    :: entry_at(at).filler -> at = at + RING - at % RING
    :: !entry_at(at).filler && comes_too_early(entry_at(at)) -> whole = false
    :: else -> at = at + ENTRY
    fi
  :: whole && at < limit && tail < at -> write_gathered(); give_entries_back() /* in parts: here after any entry */
  :: !(whole && at < limit) -> break
  od
}

/* The flusher reads the buffer. */
inline write_hand_over()
{
  assert(b[i].holder == flusher_has && b[i].state == flushing);
  write_next(b[i].serial);
  if
#ifdef MUTATION_DUMP_WRITES_WHAT_WAS_PASSED
  :: b[i].has_watched -> write_watched(b[i].thread_id)
#else
#ifdef MUTATION_DUMP_BEARS_THE_THREAD_OF_THE_SLOT
  :: b[i].has_watched && !b[i].left_out -> write_watched(thread_id)
#else
  :: b[i].has_watched && !b[i].left_out -> write_watched(b[i].thread_id)
#endif
#endif
  :: else
  fi;
  sequence_written = b[i].sequence
}

/* One release store. What the buffer held is forgotten, for fewer states: nobody may read it any more. */
inline free_buffer()
{
  b[i].has_watched = false; b[i].left_out = false; b[i].sequence = 0;
  b[i].outbox_position = 0; b[i].thread_id = 0; b[i].serial = 0;
  b[i].holder = thread_has;
  b[i].state = free
}

active proctype flusher()
{
  byte outbox_limit, hand_overs_limit, at, gathered, given, i, sequence_written;
  bool whole, worked, ticket;

  do
  :: /* flusher::run at the head of its loop, and drain: once it has ceased to accept, it drains. */
    atomic {
      if
      :: accepting && phase == stopping -> accepting = false; promised = (serials_written < visible -> visible : 0)
      :: else -> ticket = ticket_given && accepting
      fi
    };

    /* 1. Note how far the outbox and the hand-overs are published. */
    outbox_limit = head;
    hand_overs_limit = hand_overs_published;

    /* 2. Empty the queue, or believe that it is empty. */
    do
    :: atomic { queue ? i -> b[i].holder = flusher_has; b[i].state = flushing; taken ! i; i = 0; worked = true }
#ifdef MAY_HANG
    :: goto hangs
#endif
    :: break
    od;

    /* 3. Entries and dumps, merged by position. */
    atomic { at = tail; gathered = tail; whole = true };
    do
    :: atomic { whole && nempty(taken) -> taken ? <i>;
#ifdef MUTATION_ENTRIES_ONLY_AS_FAR_AS_NOTED
        if
        :: b[i].outbox_position < outbox_limit -> write_entries(b[i].outbox_position)
        :: else -> write_entries(outbox_limit)
        fi;
#else
#ifndef MUTATION_DUMPS_BEFORE_ENTRIES
        write_entries(b[i].outbox_position);
#endif
#endif
        if
        :: whole ->
          taken ? i;
          write_gathered();
#ifndef MUTATION_BUFFER_FREED_BEFORE_IT_IS_READ
          write_hand_over()
#endif
        :: else -> i = 0; break
        fi
      };
      atomic { free_buffer() };
#ifdef MUTATION_BUFFER_FREED_BEFORE_IT_IS_READ
      atomic { write_hand_over() };
#endif
      i = 0
    :: atomic { else -> break }
#ifdef MAY_HANG
    :: goto hangs
#endif
    od;
    atomic {
      write_entries(outbox_limit);
#ifdef MUTATION_ENTRIES_GIVEN_BACK_BEFORE_THEY_ARE_READ
      give_entries_back()
    };
    atomic { write_gathered() };
#else
      write_gathered()
    };
    atomic { give_entries_back() };
#endif

    /* flusher::run and drain, after the round. */
    atomic {
#ifndef MUTATION_EMPTY_QUEUE_IS_BELIEVED
      whole = whole && sequence_written >= hand_overs_limit;
#endif
#ifdef MUTATION_ROUND_FULFILS_LATER_TICKETS
      ticket = ticket_given;
#endif
      if
      :: accepting && whole && ticket -> fulfilled = true;
        assert(promised == 0) /* Everything published before the ticket is written. */
#ifdef MUTATION_DRAIN_ENDS_WHEN_IDLE
      :: !accepting && !worked -> break
#else
      :: !accepting && whole && !worked -> break
#endif
      :: else
      fi;
      outbox_limit = 0; hand_overs_limit = 0; at = 0; gathered = 0; ticket = false; whole = false; worked = false
    }
  od;
  atomic {
    assert(promised == 0); /* After drain everything handed over is written. */
    phase = ended;
    goto flusher_ends
  };

  /* In a handler, or for want of a processor. No thread that logs waits for the flusher: were there a step of theirs that does,
     they would end in the middle, which Spin reports as an invalid end state. */
hangs:
  atomic { outbox_limit = 0; hand_overs_limit = 0; at = 0; gathered = 0; i = 0; ticket = false; whole = false; worked = false };
end_hangs:
  false;
flusher_ends:
  skip
}

/* ============================================ callers, and the end ============================================ */

/* flush and stop. That a caller waits, and for how long, changes nothing for anybody else. */
active proctype caller()
{
#ifdef MAY_FLUSH
  if
  :: atomic { phase == running -> ticket_given = true; promised = (serials_written < visible -> visible : 0) }
  :: true
  fi;
#endif
#ifdef MAY_STOP
  phase = stopping;
#endif
  skip
}

init
{
  byte i;
  atomic {
    b[0].state = owned; b[0].holder = thread_has;
    i = 1;
    do
    :: i < BUFFERS -> b[i].state = free; b[i].holder = thread_has; i++
    :: else -> break
    od;
    i = 0;
    run thread(1);
    run thread(2)
  };

end_accounting:
  atomic {
    phase == ended && threads_ended == THREADS;
    /* In flight is what one trip, under way when the runtime ceased to accept, published afterwards: a hand-over and an entry. */
    assert(empty(taken) && len(queue) <= 1);
    assert(last_serial == serials_written + len(queue) + (head > tail -> 1 : 0));
    /* Each record is written, or counted as lost or discarded, or in flight. */
    assert(watched != held && watched != lost);
    assert(watched != told || last_serial > serials_written)
  }
}
