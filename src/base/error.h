#pragma once
// Errors of the project. Three kinds (ARCHITECTURE.md "Errors"): a bug is an ASSERT, an expected outcome is a Result,
// a broken world (disk, database, protocol) is a base::Broken exception, caught once per task.
#include <cstdint>
#include <expected>
#include <stdexcept>
#include <string>
#include <string_view>

namespace base {

// The closed list of expected outcomes. Its names are stable: they appear in JSON output and in logs.
enum class Errc {
  invalid_argument,   // the caller's input is wrong; the message names the field and the fix
  not_found,          // no run, session, agent, file ... of that name
  ambiguous,          // a prefix names several; the message lists candidates
  conflict,           // same key or id, other request; or the state does not allow it
  already_finished,   // the run is terminal
  lease_lost,         // another executor holds the run, or its epoch moved on
  cancel_requested,   // a completion met an earlier acknowledged cancel
  busy,               // a bound is reached; try again later
  denied,             // not permitted by policy or authentication
  unsupported,        // known, but not possible here
  unavailable,        // the environment is unusable: nothing ran, nothing is half-started
  timed_out,          // a deadline passed
  cancelled,          // given up on request
  provider_auth,      // the model provider refused the credentials (401, 403)
  provider_request,   // the provider refused the request (400, 404, 413, 422)
  provider_limited,   // the provider limits the rate or the quota (429)
  provider_failed,    // the provider failed (5xx, cut stream, unreadable answer)
  network,            // no connection to the provider
};

std::string_view name(Errc code);

struct Error {
  Errc code;
  std::string message;
};

template <class T = void>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Errc code, std::string message) { return std::unexpected(Error{code, std::move(message)}); }

// The world is broken: the disk, the database file or the protocol. Carries the context of the place that noticed.
class Broken : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace base

// On in release too: a bug stops the process at once; the log makes the restart safe.
#define ASSERT(condition) ((condition) ? void() : ::base::assertion_failed(#condition, __FILE__, __LINE__))
