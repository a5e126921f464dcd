// Completion: the words that may stand where somebody types, by the tokens before that place.
//
// Why:  whoever explores asks for the names of streams, views and columns more often than for anything else.
// Names are asked for when they are needed, and only then.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::cli {

struct CompletionNames {
  std::function<std::vector<std::string>()> relations;
  std::function<std::vector<std::string>(const std::string& relation)> columns;
  std::vector<std::string> commands;  // \d, …
};

struct Completion {
  size_t from = 0;                 // where the word begins that is being typed
  std::vector<std::string> words;  // sorted, each once; as they are to be written
};

// `before` and `after` the place, both of a text that may have several lines.
Completion complete(std::string_view before, std::string_view after, const CompletionNames& names);

// What all of them begin with.
std::string common_prefix(const std::vector<std::string>& words);

}  // namespace millrace::cli
