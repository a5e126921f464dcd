// ManPage: a manual page in roff's man macros, made of plain text.
#pragma once

#include <string>
#include <string_view>

namespace millrace::cli {

class ManPage {
 public:
  // "millrace-serve", 1, "run a node": what is printed as  millrace-serve - run a node.
  ManPage(std::string_view name, int section, std::string_view what);

  void heading(std::string_view text);     // SYNOPSIS
  void subheading(std::string_view text);  // a command of the page's command
  void paragraph(std::string_view text);   // a line of the text is a line of the page
  void item(std::string_view term, std::string_view text);
  void verbatim(std::string_view lines);

  const std::string& text() const { return text_; }

 private:
  std::string_view begin_paragraph() const;

  std::string text_;
};

}  // namespace millrace::cli
