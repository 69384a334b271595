#pragma once
// The measurements, one file each. Every one prints samples; what they are compared with is said at each.
#include "bench/common/measure.h"

namespace bench {

// A launch over HTTP, acknowledged, against one synced commit: --port --dir --rate --seconds --repeats
void measure_launch(const Arguments& arguments);

// An append until a remote reader of the stream has it, against one synced commit + one loopback round trip, all paced alike:
// --dir --rate --seconds --repeats [--home --port: the stream is served by another process on that home]
void measure_tail(const Arguments& arguments);

// Durable appends of many runs at once against Redis and a plain file:
// --dir --runs --events --seconds --repeats [--redis-port]
void measure_appends(const Arguments& arguments);

// Layouts of the event table: --dir --seconds --repeats
void measure_layouts(const Arguments& arguments);

// Reads one stream to its end and writes its body to a file: --port --target --out
void fetch_stream(const Arguments& arguments);
// The same stream against the same bytes as a static file, drained by the same client:
// --port --target --pid --static-port (0: a bare sendfile loop of --file) --static-target --static-pids --fetches --repeats
void measure_catch_up(const Arguments& arguments);

// Memory of live streams at rest, and whether each gets its events: --home --port --pid --count
void measure_streams(const Arguments& arguments);

// Starts of a program: --count --name --home --program [--argument ...]
void measure_spawn(const Arguments& arguments);

// One run of --tokens events from the scripted model to one client: --port --tokens --dir --repeats
void measure_one_stream(const Arguments& arguments);

// Several processes committing to one home flat out: --dir --processes --seconds --repeats
void measure_crowd(const Arguments& arguments);
void crowd_child(const Arguments& arguments);

// Fills a home: --home --count completed runs with two events of text.
void fill_home(const Arguments& arguments);
// Leaves --count runs of --home behind in the middle of a model's answer, as a killed process does.
void interrupt_runs(const Arguments& arguments);

}  // namespace bench
