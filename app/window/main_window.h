#pragma once
#include <QMainWindow>
#include <filesystem>

#include "app/window/analysis_page.h"
#include "app/window/appearance.h"
#include "app/window/attention_measures.h"
#include "app/window/cause_page.h"
#include "app/window/doors.h"
#include "app/window/heads_feed.h"
#include "app/window/help.h"
#include "app/window/lanes_feed.h"
#include "app/window/lens_pins.h"
#include "app/window/palette.h"
#include "app/window/panel_page.h"
#include "app/window/prompt_panel.h"
#include "app/window/runner.h"
#include "app/window/session_actions.h"
#include "app/window/session_keeper.h"
#include "app/window/settings.h"
#include "app/window/sinks_page.h"
#include "app/window/status_line.h"
#include "app/window/top_bar.h"
#include "app/window/training_page.h"
#include "views/attention/attention_page.h"
#include "views/edits/edit_panel.h"
#include "views/inspector/inspector.h"
#include "views/model/model_page.h"

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

/// Wires the views to the engine. Parts of it by subject: pages, commands, state (what is remembered and
/// shown again), session and figures, in main_window_SUBJECT.cpp.
class MainWindow : public QMainWindow {
    Q_OBJECT

public:
    explicit MainWindow(const WindowOptions& options, QWidget* parent = nullptr);
    ~MainWindow() override;

    // For the tour, the typing measurement and tests, which drive the window as a person does.
    views::Desk& desk() { return desk_; }
    Bench& bench() { return bench_; }
    Runner& runner() { return *runner_; }
    SessionKeeper& keeper() { return *keeper_; }
    PromptPanel& prompt() { return *prompt_; }
    views::AttentionPage& attention() { return *attention_; }
    views::HeadsPage& heads() { return *heads_; }
    HeadsFeed& heads_feed() { return *heads_feed_; }
    SinksPage& sinks() { return *sinks_; }
    CausePage& cause() { return *cause_; }
    TrainingPage& training() { return *training_; }
    views::EditPanel& edits() { return *edits_; }
    views::SessionPage& session_page() { return *session_page_; }
    SessionActions& session_actions() { return *session_actions_; }
    views::DoorsBar& doors_bar() { return *doors_bar_; }
    Doors& doors() { return *doors_; }
    /// Of a page with panels the main one; those beside it are NAME/1 and NAME/2.
    AnalysisPage* analysis_page(const QString& name) const;
    LanesFeed& lanes() { return *lanes_; }
    LensPins& pins() { return *pins_; }
    Palette& palette_dialog() { return *palette_; }
    HelpDialog& help_dialog() { return *help_; }
    Appearance& appearance() { return *appearance_; }
    bool idle() const;
    void show_page(const QString& name);
    void show_weights();  ///< of the Model page
    void show_training(); ///< of the Model page
    QString page() const;
    void pin_current_as_b();
    void open_palette(const QString& text = {});
    SettingsDialog* show_settings();
    /// The canvas that keys and commands mean: the one with the focus, else the page's main picture.
    views::FigureCanvas* canvas() const;
    void export_canvas(views::FigureCanvas* canvas);
    /// Shows what an exported figure shows; a picture from elsewhere gets a sentence.
    void open_figure(const std::filesystem::path& file);
    /// Everything that is on the screen, as sessions and figures keep it.
    Json view() const;
    void restore_step(std::int64_t step);

protected:
    void keyPressEvent(QKeyEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;
    void closeEvent(QCloseEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    // main_window.cpp
    void build();
    void build_docks();
    QWidget* build_warning();
    void show_check_card();
    void connect_parts();
    void show_facts();
    void model_refused(const engine::ModelRequest& request, const Error& error);
    void explain(const QString& topic);

    // main_window_pages.cpp
    void build_pages();
    void know(const QString& name, AnalysisPage* page);
    void add_panels(const QString& name, PanelPage* page);
    void place_controls();
    QWidget* controls_of(QWidget* page) const; ///< nullptr: it has none that could stand beside the tabs
    void take_back_controls();
    void tear_off();

    // main_window_commands.cpp
    void build_actions();
    QAction* command(const QString& title, const QKeySequence& keys, std::function<void()> act);
    std::vector<Command> found(const QString& text);

    // main_window_state.cpp
    void first_run();
    void restore(const Json& state);
    void apply_view(const Json& state);
    void apply_pending();
    void remember();

    // main_window_session.cpp
    void connect_session();
    void compare_step(std::int64_t step);
    void choose_session();
    void open_session(const std::filesystem::path& folder);
    void show_timeline();

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
    QWidget* warning_; ///< that the device lies outside the band
    views::DoorsBar* doors_bar_;
    Doors* doors_;
    QTabWidget* tabs_;
    QWidget* corner_;        ///< controls of the page shown, beside the tabs
    QPointer<QWidget> lent_; ///< the page whose controls these are
    views::AttentionPage* attention_;
    AttentionMeasures* measures_;
    views::HeadsPage* heads_;
    HeadsFeed* heads_feed_;
    TrainingPage* training_;
    SinksPage* sinks_;
    CausePage* cause_;
    std::vector<std::pair<QString, AnalysisPage*>> analyses_;
    std::vector<std::pair<QString, PanelPage*>> panels_;
    LanesFeed* lanes_;
    LensPins* pins_;
    QTabWidget* model_tabs_;
    views::ModelPage* model_page_;
    views::SessionPage* session_page_;
    SessionActions* session_actions_;
    views::Inspector* inspector_;
    views::RunsList* runs_;
    views::EditPanel* edits_;
    QDockWidget* runs_dock_;
    QDockWidget* edits_dock_;
    QDockWidget* inspector_dock_;
    StatusLine* status_;
    Palette* palette_;
    HelpDialog* help_;
    std::vector<QAction*> commands_;
    Json manifests_ = Json::array();
    Json pending_;          ///< of a view: what can only be shown once its run is there
    bool restored_ = false; ///< only then is the state of the window remembered
    bool fresh_ = false;    ///< nothing was remembered: choose where to look
};

} // namespace vitrine::window
