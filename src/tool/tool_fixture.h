#pragma once
// For tests: a temporary work directory, a place outside of it, and the file tools at work in it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aio/offload.h"
#include "tool/tool.h"

namespace tool {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "outlast-tool-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class ToolTest : public testing::Test {
 protected:
  ToolTest() : toolbox(file_tools(offload)) {
    work = temporary.path() / "work";
    outside = temporary.path() / "outside";
    std::filesystem::create_directories(work);
    std::filesystem::create_directories(outside);
  }

  void put(const std::string& path, const std::string& content) {
    const auto whole = work / path;
    std::filesystem::create_directories(whole.parent_path());
    std::ofstream(whole, std::ios::binary) << content;
  }
  std::string get(const std::string& path) {
    std::ifstream stream(work / path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  void link(const std::string& path, const std::string& target) {
    std::filesystem::create_directories((work / path).parent_path());
    std::filesystem::create_symlink(target, work / path);
  }
  bool has(const std::string& path) { return std::filesystem::exists(std::filesystem::symlink_status(work / path)); }
  // A file's age decides Glob's order.
  void touch(const std::string& path, std::int64_t seconds) {
    const timespec times[2] = {{seconds, 0}, {seconds, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, (work / path).c_str(), times, 0), 0);
  }

  // Runs a task on an io thread of its own, to its end.
  template <class T>
  T await(aio::Task<T> task) {
    boost::asio::io_context io(1);
    std::optional<T> result;
    std::exception_ptr failure;
    boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr error, T value) {
      failure = error;
      result = std::move(value);
    });
    io.run();
    if (failure) std::rethrow_exception(failure);
    return std::move(*result);
  }

  Outcome call(const std::string& name, const std::string& arguments) {
    Context context{"run", "call", work.string()};
    context.settings = settings;
    context.roots = roots;
    return await(toolbox.call(name, arguments, std::move(context)));
  }
  Outcome call(const std::string& name, const boost::json::object& arguments) {
    return call(name, boost::json::serialize(arguments));
  }
  // The text of a call that must succeed, or must fail.
  std::string ok(const std::string& name, const boost::json::object& arguments) {
    auto outcome = call(name, arguments);
    EXPECT_FALSE(outcome.is_error) << outcome.text;
    return outcome.text;
  }
  std::string fails(const std::string& name, const boost::json::object& arguments) {
    auto outcome = call(name, arguments);
    EXPECT_TRUE(outcome.is_error) << outcome.text;
    return outcome.text;
  }

  TemporaryDirectory temporary;
  std::filesystem::path work;
  std::filesystem::path outside;
  std::vector<std::string> roots;
  run::ToolSettings settings;
  aio::Offload offload{2};
  Toolbox toolbox;
};

}  // namespace tool
