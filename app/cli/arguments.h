#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::cli {

/// The command line with the values of text options taken out. CLI11 would split "[1, 2]", drop "{}" and
/// unquote a text, and people may ask about prompts that look like that.
struct Arguments {
    std::vector<std::string> words; ///< what CLI11 parses: "--prompt=@0" in place of "--prompt" TEXT
    std::vector<std::string> texts; ///< what "@0", "@1", … stand for
    bool json = false;              ///< --json stands there, however wrong the rest is
    bool quiet = false;             ///< the same for --quiet

    const std::string& text_of(const std::string& reference) const;
};

/// Options whose value is kept as it was typed.
bool keeps_text(std::string_view option);

/// `arguments` without the program's name.
Arguments take_texts(const std::vector<std::string>& arguments);

} // namespace vitrine::cli
