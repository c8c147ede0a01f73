#include "app/cli/program.h"

#include <cstdio>

#include <fmt/format.h>

#include "app/cli/commands.h"
#include "app/cli/progress_line.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/version.h"

namespace vitrine::cli {

namespace {

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;
constexpr int exit_interrupted = 130;

void add_common(CLI::App& app, CommonOptions& common, Program& program) {
    app.add_flag("--json", common.json, "One JSON document on standard output");
    app.add_flag("--quiet", common.quiet, "Nothing on standard error but the sentence of a failure");
    program.add_text(app, "--device", common.device,
                     "auto, cpu, vulkan, vulkan:N or part of a device's name (auto)");
    app.add_option("--precision", common.precision, "exact (float32) or mixed (exact)")
        ->check(CLI::IsMember({"exact", "mixed"}));
    app.add_option("--threads", common.threads, "Threads of the CPU; 0 takes every core (0)")
        ->check(CLI::Range(0, 1024));
    program.add_text(app, "--session", common.session, "Folder in which every run is recorded (none)");
    app.add_option("--seed", common.seed, "Seed of whatever is random (0)");
}

// CLI11's messages may have several lines and seldom end in a full stop.
std::string sentence_of(const CLI::ParseError& error) {
    std::string message = error.what();
    for (char& c : message)
        if (c == '\n') c = ' ';
    while (!message.empty() && message.back() == ' ')
        message.pop_back();
    if (!message.empty() && message.back() != '.') message += '.';
    return message;
}

// CLI11 says of a misspelt command only that one is required.
std::string unknown_command(const CLI::App& app, const std::vector<std::string>& words) {
    if (words.empty() || words[0].empty() || words[0][0] == '-' || !app.get_subcommands().empty()) return {};
    return fmt::format("There is no command \"{}\".", words[0]);
}

// Such an option would be as if it had not been given. Only a prompt may be empty.
std::string option_of_nothing(const Arguments& arguments) {
    for (const std::string& word : arguments.words) {
        const std::string option = word.substr(0, word.find('='));
        if (option != word && option != "--prompt" && keeps_text(option) &&
            arguments.text_of(word.substr(option.size() + 1)).empty())
            return option;
    }
    return {};
}

// False if the stream does not take it, say because its disk is full.
bool print(std::FILE* stream, const std::string& text) {
    bool written = std::fwrite(text.data(), 1, text.size(), stream) == text.size();
    if (!text.empty() && text.back() != '\n') written = std::fputc('\n', stream) != EOF && written;
    return std::fflush(stream) == 0 && written;
}

Json error_document(std::string_view code, const std::string& message) {
    return {{"error", {{"code", code}, {"message", message}}}};
}

} // namespace

engine::Engine& Program::engine() {
    if (!engine_) engine_ = std::make_unique<engine::Engine>();
    return *engine_;
}

backend::Precision Program::precision() const {
    return common_.precision == "mixed" ? backend::Precision::mixed : backend::Precision::exact;
}

Result<std::shared_ptr<engine::OpenModel>> Program::open_model(const std::string& name) {
    engine::ModelRequest request;
    request.name = name;
    request.device = common_.device;
    request.precision = precision();
    request.threads = common_.threads;
    return engine().open_model(request, cancel_, progress_);
}

void Program::record_in_session() {
    if (!common_.session.empty()) engine().record_in(common_.session);
}

CLI::Option* Program::add_texts(CLI::App& command, const std::string& name, std::vector<std::string>& values,
                                const std::string& help) {
    lists_.push_back(&values);
    return command.add_option(name, values, help)->type_name("TEXT")->allow_extra_args(false);
}

CLI::Option* Program::add_text(CLI::App& command, const std::string& name, std::string& value,
                               const std::string& help) {
    singles_.push_back(&value);
    return command.add_option(name, value, help)->type_name("TEXT")->take_last();
}

void Program::on(CLI::App& command, std::function<Result<Outcome>()> body) {
    command.callback([this, body = std::move(body)] { body_ = body; });
}

int Program::run(const std::vector<std::string>& arguments) {
    arguments_ = take_texts(arguments);
    common_.json = arguments_.json;
    common_.quiet = arguments_.quiet;
    set_up_log(common_.quiet);
    progress_ = common_.quiet ? Progress{} : progress_line();

    CLI::App app{"Vitrine looks inside transformer language models. \"vitrine-cli COMMAND --help\" says what "
                 "a command takes."};
    app.name("vitrine-cli");
    app.footer("Example: vitrine-cli run default --prompt \"The ship sailed at\" --top 5");
    app.set_version_flag("--version", version());
    app.require_subcommand(1);
    app.fallthrough();
    add_common(app, common_, *this);
    add_devices(app, *this);
    add_model(app, *this);
    add_models(app, *this);
    add_tasks(app, *this);
    add_tokenize(app, *this);
    add_hooks(app, *this);
    add_run(app, *this);
    add_generate(app, *this);
    add_analyze(app, *this);
    add_bench(app, *this);
    add_session(app, *this);
    add_serve(app, *this);
    try {
        app.parse(std::vector<std::string>(arguments_.words.rbegin(),
                                           arguments_.words.rend())); // CLI11 takes them last first
    } catch (const CLI::Success& success) {                           // --help, --version
        return app.exit(success);
    } catch (const CLI::ParseError& error) {
        const std::string wrong = unknown_command(app, arguments_.words);
        return report_usage(wrong.empty() ? sentence_of(error) : wrong);
    }
    if (const std::string option = option_of_nothing(arguments_); !option.empty())
        return report_usage(fmt::format("{} was given nothing; give it a value or leave it out.", option));
    for (auto* list : lists_)
        for (std::string& value : *list)
            value = arguments_.text_of(value);
    for (std::string* value : singles_)
        if (!value->empty() && value->front() == '@') *value = arguments_.text_of(*value);
    return report(within_memory("There is not enough memory for this command; use fewer or shorter rows, or "
                                "capture less.",
                                body_));
}

void Program::say(const std::string& sentence) const { print(stderr, sentence); }

int Program::report_usage(const std::string& message) {
    clear_progress_line();
    if (common_.json) print(stdout, dump_json(error_document(code_name(Code::usage), message)));
    say(message);
    say("vitrine-cli --help lists the commands, vitrine-cli COMMAND --help its options.");
    return exit_usage;
}

int Program::report(const Result<Outcome>& outcome) {
    clear_progress_line();
    if (outcome) {
        const std::string text =
            common_.json ? dump_json(outcome->document) : outcome->describe(outcome->document);
        if (print(stdout, text)) return outcome->exit;
        say("Standard output could not be written: its disk may be full, or its reader gone.");
        return exit_failed;
    }
    const Error& error = outcome.error();
    if (error.code == Code::usage) return report_usage(error.message);
    if (common_.json) print(stdout, dump_json(error_document(code_name(error.code), error.message)));
    say(error.message);
    return error.code == Code::cancelled ? exit_interrupted : exit_failed;
}

} // namespace vitrine::cli
