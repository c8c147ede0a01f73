#include <memory>
#include <optional>

#include <fmt/format.h>

#include "app/cli/commands.h"
#include "app/cli/program.h"
#include "app/cli/session_documents.h"
#include "app/cli/table.h"
#include "core/session/bundle.h"

namespace vitrine::cli {

namespace {

constexpr int exit_drifted = 3;

Result<session::Session> open_to_read(const std::string& folder) {
    return session::Session::open(folder, session::Mode::read_only);
}

Result<Outcome> list(const std::string& folder) {
    VITRINE_ASSIGN(const auto session, open_to_read(folder));
    VITRINE_ASSIGN(const auto steps, session.steps());
    Json documents = Json::array();
    for (const auto& step : steps)
        documents.push_back(step_document(step));
    return Outcome{{{"session", session_document(session, steps.size())}, {"steps", std::move(documents)}},
                   describe_session};
}

Result<Outcome> show(const std::string& folder, std::optional<std::int64_t> seq) {
    VITRINE_ASSIGN(const auto session, open_to_read(folder));
    VITRINE_ASSIGN(const auto steps, session.steps());
    Json documents = Json::array();
    if (seq) {
        VITRINE_ASSIGN(const auto detail, session.step(*seq));
        documents.push_back(step_detail_document(detail));
    } else {
        for (const auto& step : steps) {
            VITRINE_ASSIGN(const auto detail, session.step(step.seq));
            documents.push_back(step_detail_document(detail));
        }
    }
    return Outcome{{{"session", session_document(session, steps.size())}, {"steps", std::move(documents)}},
                   describe_steps};
}

struct ReplaySettings {
    std::string folder;
    std::int64_t from = 1;
    bool check = false;
    bool own_device = false;    ///< --device was not given
    bool own_precision = false; ///< --precision was not given
};

Result<Outcome> replay(Program& program, const ReplaySettings& settings) {
    VITRINE_ASSIGN(const auto session, open_to_read(settings.folder));
    engine::ReplayOptions options;
    options.from = settings.from;
    options.threads = program.common().threads;
    if (!settings.own_device) options.device = program.common().device;
    if (!settings.own_precision) options.precision = program.precision();
    VITRINE_ASSIGN(const auto replayed,
                   engine::replay(session, options, program.cancel(), program.progress()));
    VITRINE_ASSIGN(Outcome outcome, list(settings.folder));
    outcome.document["replayed"] = Json::array();
    for (const auto& step : replayed) {
        outcome.document["replayed"].push_back(
            {{"step", step.seq}, {"device", step.device}, {"precision", step.precision}, {"ms", step.ms}});
        for (const auto& one : step.drift)
            if (settings.check && (one.comparison.verdict == store::Verdict::drifted ||
                                   one.comparison.verdict == store::Verdict::damaged))
                outcome.exit = exit_drifted;
    }
    outcome.document["drift"] = drift_document(replayed);
    return outcome;
}

void add_list(CLI::App& parent, Program& program) {
    auto* command = parent.add_subcommand("list", "The steps of a session");
    auto folder = std::make_shared<std::string>();
    command->add_option("DIR", *folder, "Session's folder")->required();
    program.on(*command, [folder] { return list(*folder); });
}

void add_show(CLI::App& parent, Program& program) {
    auto* command = parent.add_subcommand("show", "Steps with their specs and what they made");
    auto folder = std::make_shared<std::string>();
    auto seq = std::make_shared<std::optional<std::int64_t>>();
    command->add_option("DIR", *folder, "Session's folder")->required();
    command->add_option("SEQ", *seq, "Number of a step (all)");
    program.on(*command, [folder, seq] { return show(*folder, *seq); });
}

void add_replay(CLI::App& parent, Program& program) {
    auto* command = parent.add_subcommand(
        "replay", "Do the steps again and compare; --device and --precision override each step's own");
    auto settings = std::make_shared<ReplaySettings>();
    command->add_option("DIR", settings->folder, "Session's folder")->required();
    command->add_option("--from", settings->from, "First step (1)")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 60));
    command->add_flag("--check", settings->check, "Exit 3 if something drifted or is damaged");
    const CLI::App* root = parent.get_parent();
    program.on(*command, [&program, settings, root] {
        settings->own_device = root->count("--device") == 0;
        settings->own_precision = root->count("--precision") == 0;
        return replay(program, *settings);
    });
}

Json files_document(const std::vector<session::BundleFile>& files) {
    Json document = Json::array();
    for (const auto& file : files)
        document.push_back({{"file", file.name},
                            {"size", file.bytes},
                            {"hash", file.hash.empty() ? Json(nullptr) : Json(file.hash)}});
    return document;
}

std::string describe_files(const Json& document) {
    std::string text;
    for (const auto& [name, value] : document.items())
        if (!value.is_array()) text += fmt::format("{}: {}\n", name, cell(value));
    Table table({"file", "size"});
    for (const Json& file : document["files"])
        table.add({file["file"], bytes_text(file["size"].get<double>())});
    return text + table.text();
}

void add_export(CLI::App& parent, Program& program) {
    auto* command = parent.add_subcommand("export", "Packs a session into one file");
    auto folder = std::make_shared<std::string>();
    auto zip = std::make_shared<std::string>();
    command->add_option("DIR", *folder, "Session's folder")->required();
    command->add_option("FILE", *zip, "Zip file to write")->required();
    program.on(*command, [&program, folder, zip]() -> Result<Outcome> {
        VITRINE_ASSIGN(const auto files,
                       session::export_session(*folder, *zip, program.cancel(), program.progress()));
        return Outcome{{{"written", *zip}, {"files", files_document(files)}}, describe_files};
    });
}

void add_import(CLI::App& parent, Program& program) {
    auto* command = parent.add_subcommand("import", "Unpacks such a file into a new folder");
    auto zip = std::make_shared<std::string>();
    auto folder = std::make_shared<std::string>();
    command->add_option("FILE", *zip, "Zip file that export wrote")->required();
    command->add_option("DIR", *folder, "New folder")->required();
    program.on(*command, [&program, folder, zip]() -> Result<Outcome> {
        VITRINE_ASSIGN(const auto files,
                       session::import_session(*zip, *folder, program.cancel(), program.progress()));
        return Outcome{{{"written", *folder}, {"files", files_document(files)}}, describe_files};
    });
}

void add_clean(CLI::App& parent, Program& program) {
    auto* command = parent.add_subcommand("clean", "Removes files that no step names");
    auto folder = std::make_shared<std::string>();
    command->add_option("DIR", *folder, "Session's folder")->required();
    program.on(*command, [folder]() -> Result<Outcome> {
        VITRINE_ASSIGN(const auto cleaned, session::clean_session(*folder));
        return Outcome{{{"freed_bytes", cleaned.freed}, {"files", files_document(cleaned.removed)}},
                       describe_files};
    });
}

} // namespace

void add_session(CLI::App& app, Program& program) {
    auto* command = app.add_subcommand("session", "What was recorded with --session");
    command->require_subcommand(1);
    add_list(*command, program);
    add_show(*command, program);
    add_replay(*command, program);
    add_export(*command, program);
    add_import(*command, program);
    add_clean(*command, program);
}

} // namespace vitrine::cli
