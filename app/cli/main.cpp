#include <csignal>
#include <string>
#include <vector>

#include "app/cli/program.h"

namespace {

vitrine::CancelToken cancel_token;

// The first signal asks the running job to stop; a second one ends the program at once.
extern "C" void on_signal(int signal) {
    cancel_token.cancel();
    std::signal(signal, SIG_DFL);
}

} // namespace

int main(int argc, char** argv) {
    std::signal(SIGINT, on_signal);
    std::signal(SIGTERM, on_signal);
    std::signal(SIGPIPE, SIG_IGN);
    vitrine::cli::Program program(cancel_token);
    return program.run(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
}
