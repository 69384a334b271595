#include "store/sqlite/file_backend.h"

namespace store::sqlite {

FileBackend::FileBackend(boost::asio::io_context& io, const base::Clock& clock, const std::string& home)
    : io_(io),
      clock_(clock),
      home_(home),
      log_bell_(home + "/bell/log"),
      control_bell_(home + "/bell/control"),
      readers_(home + "/outlast.db") {}

// The writer's thread starts with the first write: commands that only look stay quick.
Writer& FileBackend::writer() {
  if (!writer_)
    writer_ = std::make_unique<Writer>(io_, WriterOptions{.database_path = home_ + "/outlast.db",
                                                          .lock_path = home_ + "/outlast.lock",
                                                          .clock = &clock_,
                                                          .log_bell = &log_bell_,
                                                          .control_bell = &control_bell_,
                                                          .committed = [this](const Commit& commit) { committed_(commit); }});
  return *writer_;
}

aio::Task<Backend::Rung> FileBackend::rung() {
  if (!watch_) watch_.emplace(io_, std::vector<const Doorbell*>{&control_bell_, &log_bell_});
  const auto bits = co_await watch_->rung();
  co_return Rung{.control = (bits & 1u) != 0, .log = (bits & 2u) != 0};
}

aio::Task<> FileBackend::close() {
  if (writer_) co_await writer_->close();
}

}  // namespace store::sqlite
