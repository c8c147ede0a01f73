#pragma once
#include <QMainWindow>
#include <filesystem>

#include "app/window/analysis_page.h"
#include "app/window/appearance.h"
#include "app/window/help.h"
#include "app/window/palette.h"
#include "app/window/prompt_panel.h"
#include "app/window/runner.h"
#include "app/window/session_keeper.h"
#include "app/window/settings.h"
#include "app/window/status_line.h"
#include "app/window/top_bar.h"
#include "views/attention/attention_page.h"
#include "views/inspector/inspector.h"

class QDockWidget;
class QStackedWidget;
class QTabWidget;

namespace vitrine::window {

/// What the command line asks of the window.
struct WindowOptions {
    std::filesystem::path session; ///< folder; made if it is not there
    engine::ModelRequest model;
    bool model_given = false; ///< else the session's last model, or the default one
};

class MainWindow : public QMainWindow {
    Q_OBJECT

public:
    explicit MainWindow(const WindowOptions& options, QWidget* parent = nullptr);
    ~MainWindow() override;

    // For the tour and the typing measurement, which drive the window as a person does.
    views::Desk& desk() { return desk_; }
    Runner& runner() { return *runner_; }
    PromptPanel& prompt() { return *prompt_; }
    views::AttentionPage& attention() { return *attention_; }
    AnalysisPage* analysis_page(const QString& name) const;
    Palette& palette_dialog() { return *palette_; }
    HelpDialog& help_dialog() { return *help_; }
    Appearance& appearance() { return *appearance_; }
    bool idle() const;
    void show_page(const QString& name);
    void pin_current_as_b();
    void open_palette(const QString& text = {});

protected:
    void keyPressEvent(QKeyEvent* event) override;
    void closeEvent(QCloseEvent* event) override;

private:
    void build();
    void build_actions();
    void build_pages();
    QAction* command(const QString& title, const QKeySequence& keys, std::function<void()> act);
    std::vector<Command> found(const QString& text);
    void first_run();
    void model_refused(const engine::ModelRequest& request, const Error& error);
    void restore(const Json& state);
    void remember();
    Json state() const;
    void restore_step(std::int64_t step);
    void compare_step(std::int64_t step);
    void tear_off();
    void choose_session();
    void show_settings();
    void show_help();

    WindowOptions options_;
    Appearance* appearance_;
    views::Desk desk_;
    Bench bench_;
    Runner* runner_;
    SessionKeeper* keeper_;
    TopBar* top_;
    PromptPanel* prompt_;
    QStackedWidget* centre_;
    views::EmptyState* no_model_;
    QTabWidget* tabs_;
    views::AttentionPage* attention_;
    std::vector<std::pair<QString, AnalysisPage*>> analyses_;
    views::Inspector* inspector_;
    views::RunsList* runs_;
    QDockWidget* runs_dock_;
    QDockWidget* inspector_dock_;
    StatusLine* status_;
    Palette* palette_;
    HelpDialog* help_;
    std::vector<QAction*> commands_;
    Json manifests_ = Json::array();
    bool restored_ = false; ///< only then is the state of the window remembered
    bool fresh_ = false;    ///< nothing was remembered: choose where to look
};

} // namespace vitrine::window
