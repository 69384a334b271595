#pragma once
// The store's backend in the program: one database file, a writer thread, reading connections, bells in files.
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>

#include "store/doorbell.h"
#include "store/sqlite/backend.h"
#include "store/sqlite/reader_pool.h"
#include "store/sqlite/writer.h"

namespace store::sqlite {

class FileBackend final : public Backend {
 public:
  // `home` holds outlast.db, outlast.lock and bell/. All must outlive the backend. Throws base::Broken.
  FileBackend(boost::asio::io_context& io, const base::Clock& clock, const std::string& home);

  void listen(std::function<void(const Commit&)> committed) override { committed_ = std::move(committed); }
  WriteQueue& writes() override { return writer(); }
  Readers& reads() override { return readers_; }
  void set_owner(OwnerNumber owner) override { writer().set_owner(owner); }
  aio::Task<Rung> rung() override;
  std::int64_t last_block_rung() const override { return log_bell_.last(); }
  aio::Task<> close() override;

 private:
  Writer& writer();

  boost::asio::io_context& io_;
  const base::Clock& clock_;
  const std::string home_;
  Doorbell log_bell_, control_bell_;
  std::optional<BellWatch> watch_;
  std::function<void(const Commit&)> committed_;
  ReaderPool readers_;
  std::unique_ptr<Writer> writer_;
};

}  // namespace store::sqlite
