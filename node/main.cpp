#include <iostream>

#include "node/command_line.hpp"

int main(int argc, char** argv) {
  return 0;
}
