#include "app/cli/arguments.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace vitrine::cli {

bool keeps_text(std::string_view option) {
    static constexpr std::array<std::string_view, 15> options = {
        "--prompt", "--prompts",    "--ids",    "--chat", "--edit",    "--capture", "--positions", "--set",
        "--out",    "--dictionary", "--figure", "--data", "--session", "--device",  "--branch"};
    return std::find(options.begin(), options.end(), option) != options.end();
}

const std::string& Arguments::text_of(const std::string& reference) const {
    std::size_t index = 0;
    std::from_chars(reference.data() + 1, reference.data() + reference.size(), index);
    return texts.at(index);
}

Arguments take_texts(const std::vector<std::string>& arguments) {
    Arguments taken;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& word = arguments[i];
        const std::size_t equals = word.find('=');
        const std::string option = word.substr(0, equals);
        if (word == "--json") taken.json = true;
        if (word == "--quiet") taken.quiet = true;
        const bool has_value = equals != std::string::npos || i + 1 < arguments.size();
        if (!keeps_text(option) || !has_value) {
            taken.words.push_back(word);
            continue;
        }
        taken.words.push_back(fmt::format("{}=@{}", option, taken.texts.size()));
        taken.texts.push_back(equals != std::string::npos ? word.substr(equals + 1) : arguments[++i]);
    }
    return taken;
}

} // namespace vitrine::cli
