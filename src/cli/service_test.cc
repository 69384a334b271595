#include "cli/service.h"

#include <gtest/gtest.h>

namespace cli {
namespace {

TEST(ServiceUnit, QuotesWordsAndLeavesChildrenAlone) {
  const auto unit = service_unit("/opt/out last/outlast", "/home/u/.outlast", "/srv", {"app \"1\".yaml", "--port", "80%"});
  EXPECT_NE(unit.find("ExecStart=\"/opt/out last/outlast\" serve \"app \\\"1\\\".yaml\" \"--port\" \"80%%\"\n"),
            std::string::npos)
      << unit;
  EXPECT_NE(unit.find("Environment=\"OUTLAST_HOME=/home/u/.outlast\"\n"), std::string::npos);
  EXPECT_NE(unit.find("KillMode=process\n"), std::string::npos);
}

}  // namespace
}  // namespace cli
