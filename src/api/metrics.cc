#include "api/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <fstream>

namespace api {

namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

void add(std::vector<MetricFamily>& families, MetricType type, std::string name, std::string help, std::uint64_t value) {
  MetricFamily family;
  family.name = "outlast_" + std::move(name);
  family.help = std::move(help);
  family.type = type;
  prometheus::ClientMetric metric;
  if (type == MetricType::Counter)
    metric.counter.value = static_cast<double>(value);
  else
    metric.gauge.value = static_cast<double>(value);
  family.metric.push_back(std::move(metric));
  families.push_back(std::move(family));
}

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * 4096;
}

std::string render(const Context& context) {
  const auto& c = context.deps.counters;
  std::vector<MetricFamily> families;
  const auto counter = [&families](std::string name, std::string help, std::uint64_t value) {
    add(families, MetricType::Counter, std::move(name), std::move(help), value);
  };
  const auto gauge = [&families](std::string name, std::string help, std::uint64_t value) {
    add(families, MetricType::Gauge, std::move(name), std::move(help), value);
  };
  counter("runs_launched_total", "Runs made by this process", c.runs_launched);
  counter("launches_refused_total", "Launches refused because too many runs wait", c.launches_refused);
  counter("runs_adopted_total", "Runs taken over from a dead or missing executor", c.runs_adopted);
  counter("runs_completed_total", "Runs that this process brought to COMPLETED", c.runs_completed);
  counter("runs_failed_total", "Runs that this process brought to ERROR", c.runs_failed);
  counter("runs_cancelled_total", "Runs that this process brought to CANCELLED", c.runs_cancelled);
  counter("runs_paused_total", "Times that a run of this process paused", c.runs_paused);
  gauge("runs_executing", "Runs that this process executes now", c.runs_executing);
  counter("leases_lost_total", "Runs that another process took over", c.leases_lost);
  counter("events_appended_total", "Events made durable", c.events_appended);
  counter("appends_total", "Appends handed to the store", c.appends);
  counter("model_calls_total", "Model calls begun, retries among them", c.model_calls);
  counter("model_retries_total", "Model calls made again", c.model_retries);
  counter("model_failures_total", "Model calls given up", c.model_failures);
  counter("model_input_tokens_total", "Input tokens as providers count them", c.input_tokens);
  counter("model_output_tokens_total", "Output tokens as providers count them", c.output_tokens);
  counter("tool_calls_total", "Tool calls made", c.tool_calls);
  counter("tool_errors_total", "Tool calls whose result was an error", c.tool_errors);
  gauge("readers", "Live readers of run logs now", c.readers);
  counter("log_reads_total", "Reads of run logs from the store", c.log_reads);
  counter("cached_reads_total", "Reads of run logs answered from memory", c.cached_reads);
  gauge("process_resident_memory_bytes", "Resident memory", resident_bytes());
  return prometheus::TextSerializer().Serialize(families);
}

aio::Task<> get_metrics(Context& context, Request, net::HttpReply& reply) {
  net::HttpResponse response{.status = 200, .content_type = "text/plain; version=0.0.4; charset=utf-8", .body = render(context)};
  co_await reply.send(std::move(response));
}

}  // namespace

void add_metrics_route(std::vector<Route>& routes) { routes.push_back({"GET", "/metrics", get_metrics}); }

}  // namespace api
