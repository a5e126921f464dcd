#include "node/machine_memory.h"

#include <gtest/gtest.h>

#include "node/kernel_file.h"
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

// The kernel says 0 of the size of such files.
TEST(KernelFile, IsReadWhateverItsSizeIsSaidToBe) {
  const auto files = make_system_files();
  const auto text = read_kernel_file(*files, "/proc/self/limits");
  ASSERT_TRUE(text.ok());
  EXPECT_NE(text->find("Max open files"), std::string::npos);
}

}  // namespace
}  // namespace millrace::node
