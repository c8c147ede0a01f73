// The boundaries between rooms, read off the include graph of the source tree.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <QtTest>

namespace {

namespace fs = std::filesystem;

const fs::path root = fs::path(VITRINE_FIXTURES).parent_path().parent_path();

struct File {
    std::vector<std::string> ours;    ///< #include "…", from the root
    std::vector<std::string> foreign; ///< #include <…>
};

File read(const fs::path& path) {
    static const std::regex include(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
    File file;
    std::ifstream stream(path);
    for (std::string line; std::getline(stream, line);) {
        std::smatch match;
        if (!std::regex_search(line, match, include)) continue;
        (match[1] == "\"" ? file.ours : file.foreign).push_back(match[2]);
    }
    return file;
}

std::map<std::string, File> read_tree() {
    std::map<std::string, File> tree;
    for (const char* top : {"app", "core", "views"}) {
        if (!fs::exists(root / top)) continue;
        for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
            const fs::path extension = entry.path().extension();
            if (extension == ".h" || extension == ".cpp" || extension == ".c")
                tree.emplace(fs::relative(entry.path(), root).generic_string(), read(entry.path()));
        }
    }
    return tree;
}

const std::map<std::string, File>& tree() {
    static const auto read = read_tree();
    return read;
}

// Everything that a file includes, itself among it, by way of our own headers.
std::set<std::string> closure(const std::string& name) {
    std::set<std::string> seen;
    std::vector<std::string> open = {name};
    while (!open.empty()) {
        const std::string current = open.back();
        open.pop_back();
        if (!seen.insert(current).second || !tree().contains(current)) continue;
        const auto& ours = tree().at(current).ours;
        open.insert(open.end(), ours.begin(), ours.end());
    }
    return seen;
}

bool starts_with_one_of(const std::string& text, const std::vector<std::string>& prefixes) {
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [&](const auto& prefix) { return text.starts_with(prefix); });
}

bool is_standard(const std::string& header) {
    static const std::set<std::string> c = {"stddef.h", "stdint.h", "fnmatch.h"};
    return c.contains(header) || header.find_first_of("/.") == std::string::npos;
}

// `<QString>`, `<QtTest>`, `<QtGui/QImage>`
bool is_qt(const std::string& header) {
    return header.size() > 1 && header[0] == 'Q' && (std::isupper(header[1]) != 0 || header[1] == 't');
}

// "views/a.h reaches <vulkan/vulkan.h> by core/b.h" for every file of `folder` that reaches what is not
// allowed.
std::string breaches(const std::string& folder, const std::function<bool(const std::string&)>& our_allowed,
                     const std::function<bool(const std::string&)>& foreign_allowed) {
    std::string report;
    int files = 0;
    for (const auto& [name, file] : tree()) {
        if (!name.starts_with(folder)) continue;
        ++files;
        for (const std::string& reached : closure(name)) {
            if (!our_allowed(reached)) report += name + " reaches " + reached + "\n";
            if (!tree().contains(reached)) continue;
            for (const std::string& foreign : tree().at(reached).foreign)
                if (!foreign_allowed(foreign))
                    report += name + " reaches <" + foreign + "> by " + reached + "\n";
        }
    }
    return files > 0 ? report : folder + " has no files: the test looks in the wrong place";
}

void holds(const std::string& report) { QVERIFY2(report.empty(), report.c_str()); }

} // namespace

class TestIncludes : public QObject {
    Q_OBJECT
private slots:
    void every_header_is_where_it_is_said_to_be() {
        std::string report;
        for (const auto& [name, file] : tree())
            for (const std::string& header : file.ours)
                // Beside ours only what the build makes: "test.moc", generated resources.
                if (header.find('/') != std::string::npos && !fs::exists(root / header))
                    report += name + " includes " + header + ", which does not exist\n";
        holds(report);
    }

    void the_sdk_uses_the_standard_library_and_json() {
        holds(breaches(
            "core/sdk/", [](const auto& ours) { return ours.starts_with("core/sdk/"); },
            [](const auto& foreign) { return is_standard(foreign) || foreign == "nlohmann/json.hpp"; }));
    }

    void abi_h_is_plain_c() {
        const File& abi = tree().at("core/sdk/abi.h");
        QVERIFY(abi.ours.empty());
        QVERIFY((abi.foreign == std::vector<std::string>{"stddef.h", "stdint.h"}));
    }

    void analyses_see_the_sdk_and_linear_algebra_only() {
        holds(breaches(
            "core/analysis/",
            [](const auto& ours) {
                return starts_with_one_of(ours, {"core/sdk/", "core/analysis/"});
            },
            [](const auto& foreign) {
                return is_standard(foreign) || foreign == "nlohmann/json.hpp" ||
                       foreign.starts_with("Eigen/");
            }));
    }

    void the_host_speaks_to_analyses_by_the_c_interface() {
        for (const auto& [name, file] : tree()) {
            if (!name.starts_with("core/engine/")) continue;
            for (const std::string& header : file.ours)
                if (starts_with_one_of(header, {"core/sdk/", "core/analysis/"}))
                    QVERIFY2(header == "core/sdk/abi.h" || header == "core/analysis/builtin.h",
                             (name + " includes " + header).c_str());
        }
    }

    void the_core_knows_neither_qt_nor_the_window() {
        holds(breaches(
            "core/",
            [](const auto& ours) {
                return !starts_with_one_of(ours, {"app/", "views/"});
            },
            [](const auto& foreign) { return !is_qt(foreign); }));
    }

    void views_touch_no_device_and_no_file_format() {
        holds(breaches(
            "views/",
            [](const auto& ours) {
                return !starts_with_one_of(ours, {"app/", "core/store/", "core/backend/vulkan/"});
            },
            [](const auto& foreign) {
                return !starts_with_one_of(foreign, {"vulkan/", "H5", "hdf5", "SQLiteCpp", "sqlite3"});
            }));
    }
};

QTEST_GUILESS_MAIN(TestIncludes)
#include "test_includes.moc"
