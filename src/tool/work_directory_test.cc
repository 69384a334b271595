#include "tool/work_directory.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <gmock/gmock.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "tool/tool_fixture.h"

namespace tool {
namespace {

// Every test runs with both resolvers; what they may do differently is said where it is tested.
class WorkDirectoryTest : public testing::TestWithParam<Resolver> {
 protected:
  WorkDirectoryTest() {
    work = temporary.path() / "work";
    outside = temporary.path() / "outside";
    std::filesystem::create_directories(work / "sub/deep");
    std::filesystem::create_directories(outside);
    std::ofstream(outside / "secret.txt") << "secret";
    std::ofstream(work / "a.txt") << "inside";
    std::ofstream(work / "sub/b.txt") << "below";
    directory.emplace(WorkDirectory::open(work.string(), GetParam()).value());
  }

  // The content of what the path opens to, or the refusal.
  std::string open(const std::string& path) {
    const auto relative = directory->relative(path);
    if (!relative) return "refused: " + relative.error().message;
    const auto fd = directory->open_file(*relative);
    if (!fd) return "refused: " + fd.error().message;
    std::string content(100, '\0');
    const auto n = read(fd->get(), content.data(), content.size());
    content.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return content;
  }
  bool refused(const std::string& path) { return open(path).starts_with("refused: "); }
  void link(const std::string& path, const std::string& target) { std::filesystem::create_symlink(target, work / path); }

  TemporaryDirectory temporary;
  std::filesystem::path work;
  std::filesystem::path outside;
  std::optional<WorkDirectory> directory;
};

INSTANTIATE_TEST_SUITE_P(Resolvers, WorkDirectoryTest, testing::Values(Resolver::kernel, Resolver::components),
                         [](const auto& tested) { return tested.param == Resolver::kernel ? "Kernel" : "Components"; });

TEST_P(WorkDirectoryTest, OpensWhatIsInside) {
  EXPECT_EQ(open("a.txt"), "inside");
  EXPECT_EQ(open("./a.txt"), "inside");
  EXPECT_EQ(open("sub//b.txt"), "below");
  EXPECT_EQ(open("sub/../a.txt"), "inside");
  EXPECT_EQ(open("sub/deep/../../a.txt"), "inside");
}

TEST_P(WorkDirectoryTest, TakesAbsolutePathsInside) {
  EXPECT_EQ(open((work / "a.txt").string()), "inside");
  EXPECT_EQ(open(work.string() + "//sub/./b.txt"), "below");
  EXPECT_EQ(directory->relative(work.string()).value(), ".");
  EXPECT_EQ(directory->relative(work.string() + "/").value(), ".");
  EXPECT_EQ(directory->relative("./sub/.//x/").value(), "sub/x");
}

TEST_P(WorkDirectoryTest, TakesAbsolutePathsByTheRealNameOfALinkedWorkDirectory) {
  const auto alias = temporary.path() / "alias";
  std::filesystem::create_symlink(work, alias);
  directory.emplace(WorkDirectory::open(alias.string(), GetParam()).value());
  EXPECT_EQ(open((alias / "a.txt").string()), "inside");
  EXPECT_EQ(open((work / "a.txt").string()), "inside");
}

TEST_P(WorkDirectoryTest, RefusesAbsolutePathsOutside) {
  for (const auto& path : {(outside / "secret.txt").string(), std::string("/etc/passwd"), std::string("/"),
                           work.string() + "x/a.txt", work.parent_path().string()})
    EXPECT_NE(open(path).find("leads outside the work directory"), std::string::npos) << path << ": " << open(path);
}

TEST_P(WorkDirectoryTest, RefusesDotDotThatLeadsOut) {
  for (const auto* path : {"../outside/secret.txt", "..", "sub/../../outside/secret.txt", "a/../../outside/secret.txt",
                           "sub/../../work/a.txt", "../work/a.txt"})
    EXPECT_TRUE(refused(path)) << path;
  EXPECT_TRUE(refused(work.string() + "/../outside/secret.txt"));
}

TEST_P(WorkDirectoryTest, RefusesLinksThatLeadOut) {
  link("absolute", (outside / "secret.txt").string());
  link("relative", "../outside/secret.txt");
  link("sub/up", "../../outside");
  link("first", "second");
  link("second", "sub/third");
  link("sub/third", "../../outside/secret.txt");
  link("root", "/");
  for (const auto* path : {"absolute", "relative", "sub/up/secret.txt", "first", "root/etc/passwd", "root"})
    EXPECT_TRUE(refused(path)) << path;
}

TEST_P(WorkDirectoryTest, RefusesLinkLoops) {
  link("loop", "loop");
  link("ping", "pong");
  link("pong", "ping");
  EXPECT_TRUE(refused("loop"));
  EXPECT_TRUE(refused("ping"));
}

TEST_P(WorkDirectoryTest, FollowsLinksInsideOnlyWithTheKernelsHelp) {
  link("near", "a.txt");
  link("sub/far", "../a.txt");
  link("dir", "sub");
  const bool follows = GetParam() == Resolver::kernel;
  EXPECT_EQ(open("near") == "inside", follows);
  EXPECT_EQ(open("sub/far") == "inside", follows);
  EXPECT_EQ(open("dir/b.txt") == "below", follows);
}

TEST_P(WorkDirectoryTest, RefusesMagicLinks) {
  // With the whole machine as work directory, /proc/self/root and /proc/self/fd would lead anywhere by magic.
  const auto machine = WorkDirectory::open("/", GetParam()).value();
  EXPECT_FALSE(machine.open_file("proc/self/root/etc/passwd"));
  EXPECT_FALSE(machine.open_file("proc/self/cwd/a.txt"));
  const int fd = ::open((outside / "secret.txt").c_str(), O_RDONLY);
  ASSERT_GE(fd, 0);
  EXPECT_FALSE(machine.open_file("proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(fd)));
  EXPECT_FALSE(machine.place("proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(fd), Parents::keep));
  ::close(fd);
}

TEST_P(WorkDirectoryTest, RefusesEverythingButRegularFiles) {
  ASSERT_EQ(mkfifo((work / "fifo").c_str(), 0600), 0);
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, (work / "socket").c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_NE(open("fifo").find("is a fifo, not a regular file"), std::string::npos) << open("fifo");
  EXPECT_NE(open("socket").find("is a socket, not a regular file"), std::string::npos) << open("socket");
  EXPECT_NE(open("sub").find("is a directory"), std::string::npos) << open("sub");
  EXPECT_NE(open(".").find("is a directory"), std::string::npos) << open(".");
  ::close(listener);
  const auto machine = WorkDirectory::open("/", GetParam()).value();
  const auto zero = machine.open_file("dev/zero");
  ASSERT_FALSE(zero);
  EXPECT_EQ(zero.error().message, "'dev/zero' is a device, not a regular file");
}

TEST_P(WorkDirectoryTest, NamesWhatIsMissing) {
  EXPECT_EQ(open("no.txt"), "refused: 'no.txt' does not exist");
  EXPECT_EQ(open("a.txt/x"), "refused: 'a.txt/x': a part of the path is not a directory");
  EXPECT_EQ(open(""), "refused: the path is empty");
  EXPECT_TRUE(refused(std::string("a\0.txt", 6)));
  EXPECT_TRUE(refused(std::string(5'000, 'x')));
  EXPECT_TRUE(refused(std::string(300, 'x')));
}

TEST_P(WorkDirectoryTest, PlacesAreInside) {
  link("out", "../outside");
  link("out_file", "../outside/secret.txt");
  link("new_out", "../outside/new.txt");
  link("absolute", (work / "a.txt").string());
  for (const auto* path : {"../x", "out/x", "out_file", "new_out", "absolute", "sub/../../x", "..", ".", "sub/.."})
    EXPECT_FALSE(directory->place(path, Parents::create)) << path;
  EXPECT_FALSE(std::filesystem::exists(outside / "x"));
  EXPECT_FALSE(std::filesystem::exists(outside / "new.txt"));

  const auto place = directory->place("new/dirs/x.txt", Parents::create);
  ASSERT_TRUE(place) << place.error().message;
  EXPECT_FALSE(place->exists);
  EXPECT_EQ(place->directories_created, 2);
  EXPECT_TRUE(std::filesystem::is_directory(work / "new/dirs"));
  EXPECT_FALSE(directory->place("other/x.txt", Parents::keep));
  EXPECT_FALSE(directory->place("not/../there/x.txt", Parents::create) && GetParam() == Resolver::kernel);
}

TEST_P(WorkDirectoryTest, PlacesFollowTheLastLinkInside) {
  link("near", "sub/b.txt");
  link("chain", "near");
  link("dangling", "sub/new.txt");
  const auto place = directory->place("chain", Parents::keep);
  if (GetParam() == Resolver::components) {
    EXPECT_FALSE(place);
    return;
  }
  ASSERT_TRUE(place) << place.error().message;
  EXPECT_EQ(place->path, "sub/b.txt");
  EXPECT_TRUE(place->exists);
  EXPECT_EQ(directory->place("dangling", Parents::keep)->path, "sub/new.txt");
  link("l0", "l1");
  for (int i = 1; i < 20; ++i) link("l" + std::to_string(i), "l" + std::to_string(i + 1));
  EXPECT_FALSE(directory->place("l0", Parents::keep));
}

// A directory that is swapped for a link to the outside again and again, while it is being opened: whatever the timing, the
// secret is never read and nothing is ever written there.
TEST_P(WorkDirectoryTest, SwappingADirectoryForALinkWinsNothing) {
  std::filesystem::create_directories(work / "swap");
  std::ofstream(work / "swap/secret.txt") << "mine";
  std::filesystem::create_symlink(outside, work / "evil");
  std::atomic<bool> done = false;
  std::thread attacker([&] {
    while (!done) {
      // RENAME_EXCHANGE swaps the two atomically.
      renameat2(AT_FDCWD, (work / "swap").c_str(), AT_FDCWD, (work / "evil").c_str(), RENAME_EXCHANGE);
    }
  });
  int opened = 0;
  for (int i = 0; i < 3'000; ++i) {
    const auto content = open("swap/secret.txt");
    EXPECT_NE(content, "secret");
    opened += content == "mine";
    directory->place("swap/sub" + std::to_string(i % 7) + "/x", Parents::create);
  }
  done = true;
  attacker.join();
  EXPECT_GT(opened, 0);
  std::size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(outside)) ++entries;
  EXPECT_EQ(entries, 1u);  // the secret alone
}

TEST(WorkDirectoryOpenTest, WantsAnAbsoluteDirectory) {
  EXPECT_FALSE(WorkDirectory::open("relative"));
  EXPECT_FALSE(WorkDirectory::open(""));
  EXPECT_FALSE(WorkDirectory::open("/etc/passwd"));
  EXPECT_FALSE(WorkDirectory::open("/no/such/directory"));
}

TEST_P(WorkDirectoryTest, ConfinedToPathsOnlyTheseAreThere) {
  std::filesystem::create_directories(work / "subs");
  std::ofstream(work / "subs/c.txt") << "beside";
  link("sub/out", "../a.txt");
  link("sub/aside", "../subs");
  link("into", "sub");
  directory->confine({"sub", work.string() + "/a.txt/", "new/deep", "/etc", "../outside"});
  EXPECT_EQ(open("sub/b.txt"), "below");
  EXPECT_EQ(open("sub/deep/../b.txt"), "below");
  EXPECT_EQ(open("a.txt"), "inside") << "a file by its name";
  if (GetParam() == Resolver::kernel) {
    EXPECT_EQ(open("into/b.txt"), "below") << "where it really is counts";
    EXPECT_EQ(open("sub/out"), "inside");
  }
  for (const auto* path : {"subs/c.txt", "sub/../subs/c.txt", "sub/aside/c.txt"}) EXPECT_TRUE(refused(path)) << path;
  EXPECT_THAT(open("subs/c.txt"), testing::HasSubstr("'subs/c.txt' is not inside the paths that are allowed here: sub, "));
  EXPECT_FALSE(directory->open_directory("."));
  EXPECT_FALSE(directory->status("subs"));
  EXPECT_TRUE(directory->below("sub"));
  EXPECT_TRUE(directory->place("sub/x/y.txt", Parents::create));
  EXPECT_TRUE(directory->place("a.txt", Parents::keep));
  EXPECT_TRUE(directory->place("new/deep/y.txt", Parents::create)) << "an allowed path that is not there yet";
  for (const auto* path : {"b.txt", "subs/y.txt", "new/y.txt", "other/y.txt", "sub/../y.txt", "sub/aside/y.txt"})
    EXPECT_FALSE(directory->place(path, Parents::create)) << path;
  EXPECT_FALSE(std::filesystem::exists(work / "other")) << "nothing is made on the way";
  directory->confine({"/etc"});
  EXPECT_TRUE(refused("sub/b.txt")) << "no path of it is here: nothing is";
}

}  // namespace
}  // namespace tool
