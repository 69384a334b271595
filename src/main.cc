#include <cstdio>

int main() {
  std::puts("outlast " OUTLAST_VERSION);
  return 0;
}
