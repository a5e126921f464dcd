#include "node/machine_memory.h"

#include <gtest/gtest.h>

#include "sim/sim_files.h"

namespace millrace::node {
namespace {

constexpr const char* kLimit = "/sys/fs/cgroup/memory.max";

TEST(MachineMemory, IsTheMachinesOrWhatTheContainerMayHave) {
  sim::SimFiles files(1);
  ASSERT_TRUE(files.make_directories("/sys/fs/cgroup").ok());
  const uint64_t machine = machine_memory_bytes(files);
  EXPECT_GT(machine, 64u << 20);
  ASSERT_TRUE(write_file_atomically(files, kLimit, "max\n").ok());
  EXPECT_EQ(machine_memory_bytes(files), machine);
  ASSERT_TRUE(write_file_atomically(files, kLimit, "33554432\n").ok());
  EXPECT_EQ(machine_memory_bytes(files), 32u << 20);
}

}  // namespace
}  // namespace millrace::node
