#pragma once
// What every command shares: common options, the engine, and how a command ends.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/cli/arguments.h"
#include "core/base/cancel.h"
#include "core/base/json.h"
#include "core/engine/engine.h"

namespace vitrine::cli {

/// Options that every command has.
struct CommonOptions {
    bool json = false;
    bool quiet = false;
    std::string device = "auto";
    std::string precision = "exact";
    int threads = 0;
    std::string session; ///< folder; empty: none
    std::uint64_t seed = 0;
};

/// What a command gives: its document, the same for people, and the exit code (0, or 3 if a comparison that
/// was asked for does not hold).
struct Outcome {
    Json document;
    std::string (*describe)(const Json& document) = nullptr;
    int exit = 0;
};

class Program {
public:
    explicit Program(CancelToken cancel) : cancel_(std::move(cancel)) {}
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    /// Parses, runs the command, prints. Returns the exit code.
    int run(const std::vector<std::string>& arguments);

    const CommonOptions& common() const { return common_; }
    const CancelToken& cancel() const { return cancel_; }
    const Progress& progress() const { return progress_; }

    /// The engine, made at first use.
    engine::Engine& engine();

    /// The model that MODEL names, on the device and with the precision of the common options.
    Result<std::shared_ptr<engine::OpenModel>> open_model(const std::string& name);
    backend::Precision precision() const;

    /// Records what follows in the session of --session, if there is one.
    void record_in_session();

    /// An option whose values stay as they were typed; give a name that keeps_text() knows. A second value of
    /// an option that takes one replaces the first.
    CLI::Option* add_texts(CLI::App& command, const std::string& name, std::vector<std::string>& values,
                           const std::string& help);
    CLI::Option* add_text(CLI::App& command, const std::string& name, std::string& value,
                          const std::string& help);

    /// What `command` does.
    void on(CLI::App& command, std::function<Result<Outcome>()> body);

private:
    int report(const Result<Outcome>& outcome);
    int report_usage(const std::string& message);
    void say(const std::string& sentence) const;

    Arguments arguments_;
    CommonOptions common_;
    CancelToken cancel_;
    Progress progress_;
    std::unique_ptr<engine::Engine> engine_;
    std::function<Result<Outcome>()> body_;
    std::vector<std::vector<std::string>*> lists_;
    std::vector<std::string*> singles_;
};

} // namespace vitrine::cli
