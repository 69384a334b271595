#pragma once
// Commands of servers and of the program itself: their options. Each gives the exit code.
#include "cli/parser.h"

namespace cli {

int serve(const Words& words);
int mcp(const Words& words);
int check(const Words& words);
int doctor(const Words& words);
int completion(const Words& words);
int service(const Words& words);
int shim(const Words& words);
int execute(const Words& words);
int ids(const Words& words);

}  // namespace cli
