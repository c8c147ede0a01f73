// bench_tokenizer FOLDER TEXT: how fast a tokenizer loads, and how fast it reads a text file on one core,
// whole and line by line.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "core/base/mapped_file.h"
#include "core/tokenizer/tokenizer.h"

namespace {

template <typename Work>
double processor_seconds(Work work) {
    const std::clock_t start = std::clock();
    work();
    return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

/// The median of five runs.
template <typename Work>
double median(Work work) {
    std::vector<double> times(5);
    for (auto& time : times)
        time = processor_seconds(work);
    std::sort(times.begin(), times.end());
    return times[2];
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        fmt::print(stderr, "usage: bench_tokenizer FOLDER TEXT\n");
        return 2;
    }
    const auto text = vitrine::read_text(argv[2]);
    std::optional<vitrine::Result<vitrine::tokenizer::Tokenizer>> loaded;
    const double load = processor_seconds([&] { loaded = vitrine::tokenizer::Tokenizer::load(argv[1]); });
    if (!text || !*loaded) {
        fmt::print(stderr, "{}\n", !text ? text.error().message : loaded->error().message);
        return 1;
    }
    const auto& tokenizer = **loaded;
    std::size_t tokens = 0;
    const double whole = median([&] { tokens = tokenizer.encode(*text)->size(); });
    const double lines = median([&] {
        for (std::string_view rest = *text; !rest.empty();) {
            const std::size_t end = std::min(rest.find('\n'), rest.size() - 1) + 1;
            if (!tokenizer.encode(rest.substr(0, end))) return;
            rest.remove_prefix(end);
        }
    });
    const double megabytes = static_cast<double>(text->size()) / 1e6;
    fmt::print("{}: load {:.0f} ms; {:.1f} MB, {} tokens; whole {:.1f} MB/s, by lines {:.1f} MB/s\n",
               tokenizer.name(), 1000 * load, megabytes, tokens, megabytes / whole, megabytes / lines);
    return 0;
}
