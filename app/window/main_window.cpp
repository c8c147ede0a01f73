#include "app/window/main_window.h"

#include <QAction>
#include <QApplication>
#include <QCloseEvent>
#include <QDockWidget>
#include <QFileDialog>
#include <QMenu>
#include <QRegularExpression>
#include <QScreen>
#include <QScrollArea>
#include <QSettings>
#include <QStackedWidget>
#include <QTabWidget>
#include <QVBoxLayout>

namespace vitrine::window {

namespace {

const char* const example_prompt = "The captain looked at the sea. The captain looked at the";

} // namespace

MainWindow::MainWindow(const WindowOptions& options, QWidget* parent)
    : QMainWindow(parent), options_(options), appearance_(new Appearance(this)) {
    setWindowTitle(tr("Vitrine"));
    desk_.set_theme(appearance_->theme());
    connect(appearance_, &Appearance::changed, this, [this] { desk_.set_theme(appearance_->theme()); });
    const Preferences preferences = Preferences::load();
    appearance_->set_amounts(preferences.amounts);
    appearance_->set_scheme(preferences.scheme);
    runner_ = new Runner(bench_, desk_, this);
    keeper_ = new SessionKeeper(bench_, this);
    build();
    build_actions();

    connect(&bench_, &Bench::model_changed, this, [this] { centre_->setCurrentWidget(tabs_); });
    connect(&bench_, &Bench::model_refused, this, &MainWindow::model_refused);
    connect(runner_, &Runner::arrived, this, [this](double ms) {
        status_->show_latency(ms);
        first_run();
        remember();
    });
    connect(runner_, &Runner::recorded, keeper_, &SessionKeeper::refresh);
    connect(runner_, &Runner::recorded, this, &MainWindow::remember);
    connect(runner_, &Runner::generating, this,
            [this](const QString& text) { status_->say(tr("generating: …%1").arg(text)); });
    connect(&desk_.selection, &views::Selection::changed, this, &MainWindow::remember);
    connect(attention_, &views::AttentionPage::state_changed, this, &MainWindow::remember);
    connect(tabs_, &QTabWidget::currentChanged, this, &MainWindow::remember);
    connect(keeper_, &SessionKeeper::entries_changed, this,
            [this] { runs_->show_entries(keeper_->entries()); });
    connect(keeper_, &SessionKeeper::opened, this, &MainWindow::restore);
    connect(keeper_, &SessionKeeper::refused, this, [this](const QString& sentence) {
        status_->say(sentence);
        if (!keeper_->is_open()) { // the window works all the same, and says that it forgets
            runs_dock_->setWindowTitle(tr("Runs: not recorded"));
            runs_dock_->setToolTip(sentence);
        }
        if (!restored_) restore(Json());
    });
    connect(inspector_->next_tokens(), &views::NextTokensView::append_wanted, this,
            [this](const QString& text) {
                prompt_->editor()->moveCursor(QTextCursor::End);
                prompt_->editor()->insertPlainText(text);
            });

    bench_.post(
        this, "manifests", "list the analyses",
        [](engine::Engine& engine, const CancelToken&, const Progress&) { return engine.manifests(); },
        [this](const Json& manifests) {
            manifests_ = manifests;
            for (auto& [name, page] : analyses_)
                page->set_manifests(manifests);
        });
    keeper_->open(options_.session);
}

MainWindow::~MainWindow() {
    // Views outlive the desk's last signal only if nobody is told any more.
    desk_.disconnect();
    desk_.selection.disconnect();
}

void MainWindow::build() {
    top_ = new TopBar(bench_, desk_, this);
    prompt_ = new PromptPanel(*runner_, desk_, this);
    auto* header = new QWidget(this);
    auto* column = new QVBoxLayout(header);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(top_);
    column->addWidget(prompt_);
    setMenuWidget(header);

    build_pages();
    no_model_ = new views::EmptyState(this);
    no_model_->say(tr("Opening the model…"));
    centre_ = new QStackedWidget(this);
    centre_->addWidget(tabs_);
    centre_->addWidget(no_model_);
    centre_->setCurrentWidget(no_model_);
    setCentralWidget(centre_);
    connect(no_model_, &views::EmptyState::pressed, this, [this] {
        engine::ModelRequest request;
        request.name = "default";
        no_model_->say(tr("Opening the model…"));
        bench_.open_model(request);
    });

    runs_ = new views::RunsList(desk_, this);
    runs_dock_ = new QDockWidget(tr("Runs"), this);
    runs_dock_->setObjectName(QStringLiteral("runs"));
    runs_dock_->setWidget(runs_);
    addDockWidget(Qt::LeftDockWidgetArea, runs_dock_);
    inspector_ = new views::Inspector(desk_, this);
    inspector_dock_ = new QDockWidget(tr("Selection"), this);
    inspector_dock_->setObjectName(QStringLiteral("inspector"));
    inspector_dock_->setWidget(inspector_);
    addDockWidget(Qt::RightDockWidgetArea, inspector_dock_);
    resizeDocks({runs_dock_, inspector_dock_}, {190, 270}, Qt::Horizontal);

    status_ = new StatusLine(bench_, desk_, this);
    auto* foot = new QDockWidget(this); // a bottom dock spans the whole width, as a status line should
    foot->setObjectName(QStringLiteral("status"));
    foot->setTitleBarWidget(new QWidget(foot));
    foot->setFeatures(QDockWidget::NoDockWidgetFeatures);
    foot->setWidget(status_);
    addDockWidget(Qt::BottomDockWidgetArea, foot);
    setCorner(Qt::BottomLeftCorner, Qt::BottomDockWidgetArea);
    setCorner(Qt::BottomRightCorner, Qt::BottomDockWidgetArea);

    palette_ = new Palette(this);
    help_ = new HelpDialog(this);
    connect(top_, &TopBar::model_wanted, &bench_, &Bench::open_model);
    connect(top_, &TopBar::search_wanted, this, [this] { open_palette(); });
    connect(top_, &TopBar::pin_wanted, this, &MainWindow::pin_current_as_b);
    connect(runs_, &views::RunsList::restore_wanted, this, &MainWindow::restore_step);
    connect(runs_, &views::RunsList::compare_wanted, this, &MainWindow::compare_step);
    const QSize room = screen()->availableSize();
    resize(std::min(1500, room.width()), std::min(940, room.height()));
    prompt_->editor()->setFocus();
}

void MainWindow::build_pages() {
    tabs_ = new QTabWidget(this);
    tabs_->setDocumentMode(true);
    attention_ = new views::AttentionPage(desk_, this);
    tabs_->addTab(attention_, tr("Attention"));
    const auto add = [this](const QString& name, const QStringList& ids, bool live) {
        auto* page = new AnalysisPage(bench_, desk_, ids, this);
        page->set_live(live);
        tabs_->addTab(page, name);
        analyses_.emplace_back(name, page);
    };
    add(tr("Sinks"), {QStringLiteral("sink-rate"), QStringLiteral("sink-map")}, true);
    add(tr("Entropy"), {QStringLiteral("head-entropy"), QStringLiteral("lens-entropy")}, true);
    add(tr("Lens"), {QStringLiteral("lens")}, true);
    add(tr("Analyses"), {}, false);
}

QAction* MainWindow::command(const QString& title, const QKeySequence& keys, std::function<void()> act) {
    auto* action = new QAction(title, this);
    action->setShortcut(keys);
    connect(action, &QAction::triggered, this, [act = std::move(act)] { act(); });
    addAction(action);
    commands_.push_back(action);
    return action;
}

void MainWindow::build_actions() {
    QMenu* menu = top_->menu();
    menu->addAction(
        command(tr("Search or command…"), QKeySequence(Qt::CTRL | Qt::Key_K), [this] { open_palette(); }));
    menu->addAction(command(tr("Open a session…"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_O),
                            [this] { choose_session(); }));
    menu->addSeparator();
    menu->addAction(command(tr("Write in the prompt"), QKeySequence(Qt::CTRL | Qt::Key_L), [this] {
        prompt_->editor()->setFocus();
        prompt_->editor()->selectAll();
    }));
    menu->addAction(
        command(tr("Pin this run as B"), QKeySequence(Qt::CTRL | Qt::Key_B), [this] { pin_current_as_b(); }));
    menu->addAction(command(tr("Selection back"), QKeySequence(Qt::ALT | Qt::Key_Left),
                            [this] { desk_.selection.go_back(); }));
    menu->addAction(command(tr("Selection forward"), QKeySequence(Qt::ALT | Qt::Key_Right),
                            [this] { desk_.selection.go_forward(); }));
    menu->addSeparator();
    menu->addAction(command(tr("Show or hide the grid"), QKeySequence(Qt::Key_G),
                            [this] { attention_->show_grid(!attention_->grid_shown()); }));
    menu->addAction(command(tr("Show or hide the side panels"), QKeySequence(Qt::Key_F9), [this] {
        const bool show = !runs_dock_->isVisible() || !inspector_dock_->isVisible();
        runs_dock_->setVisible(show);
        inspector_dock_->setVisible(show);
        remember();
    }));
    menu->addAction(
        command(tr("Tear off this page"), QKeySequence(Qt::CTRL | Qt::Key_T), [this] { tear_off(); }));
    menu->addAction(command(tr("Export figure…"), QKeySequence(Qt::CTRL | Qt::Key_E), [this] {
        if (tabs_->currentWidget() == attention_)
            attention_->head_canvas()->export_with_dialog();
        else if (auto* canvas = tabs_->currentWidget()->findChild<views::FigureCanvas*>())
            canvas->export_with_dialog();
    }));
    menu->addSeparator();
    menu->addAction(
        command(tr("Settings…"), QKeySequence(Qt::CTRL | Qt::Key_Comma), [this] { show_settings(); }));
    menu->addAction(command(tr("Help on this page"), QKeySequence(Qt::Key_F1), [this] { show_help(); }));
    menu->addAction(command(tr("Quit"), QKeySequence(Qt::CTRL | Qt::Key_Q), [this] { close(); }));
    for (int i = 0; i < tabs_->count(); ++i)
        command(tr("Page %1").arg(tabs_->tabText(i)), QKeySequence(QStringLiteral("Ctrl+%1").arg(i + 1)),
                [this, name = tabs_->tabText(i)] { show_page(name); });
}

// ---- what Ctrl+K finds ----

std::vector<Command> MainWindow::found(const QString& text) {
    std::vector<Command> out;
    static const QRegularExpression head_name(QStringLiteral("^[Ll](\\d+)\\s*\\.?\\s*[Hh](\\d+)$"));
    if (const auto match = head_name.match(text); match.hasMatch() && desk_.shown()) {
        const int layer = match.captured(1).toInt(), head = match.captured(2).toInt();
        if (layer < desk_.shown()->layers && head < desk_.shown()->heads)
            out.push_back({text, tr("head"), [this, layer, head] {
                               desk_.selection.set_head(layer, head);
                               show_page(tr("Attention"));
                           }});
    }
    for (QAction* action : commands_)
        out.push_back({action->text(), action->shortcut().toString(QKeySequence::NativeText),
                       [action] { action->trigger(); }});
    for (const Json& manifest : manifests_) {
        const QString id = QString::fromStdString(manifest.at("id").get<std::string>());
        out.push_back({QString::fromStdString(manifest.value("title", id.toStdString())),
                       tr("analysis %1").arg(id), [this, id] {
                           show_page(tr("Analyses"));
                           if (AnalysisPage* page = analysis_page(tr("Analyses"))) page->choose(id);
                       }});
    }
    if (text.isEmpty()) return out;
    if (const views::RunPtr& run = desk_.shown())
        for (int at = 0; at < run->size(); ++at)
            out.push_back({run->tokens[static_cast<std::size_t>(at)].shown,
                           tr("token at position %1").arg(at),
                           [this, at] { desk_.selection.set_query(at); }});
    for (const views::RunEntry& entry : keeper_->entries())
        out.push_back({entry.prompt, tr("run of %1").arg(entry.when),
                       [this, step = entry.step] { restore_step(step); }});
    return out;
}

void MainWindow::open_palette(const QString& text) {
    palette_->open_with([this](const QString& wanted) { return found(wanted); }, text);
}

// ---- runs ----

void MainWindow::first_run() {
    if (!fresh_) return;
    fresh_ = false;
    const views::RunPtr& run = desk_.a();
    if (!run->has_patterns() || run->size() < 4) return;
    // Where there is something to see. If the last token stood here before, the head that looks at what came
    // after it then: an induction head. Else the head that most strongly looks back, sinks aside.
    const int query = run->size() - 1;
    int after_copy = 0;
    for (int at = 1; at + 1 < query; ++at)
        if (run->tokens[static_cast<std::size_t>(at)].id == run->tokens[static_cast<std::size_t>(query)].id)
            after_copy = at + 1;
    views::Place best{0, 0, query, query};
    float strongest = 0;
    for (int layer = 0; layer < run->layers; ++layer)
        for (int head = 0; head < run->heads; ++head) {
            const figure::Matrix pattern = run->pattern(layer, head);
            for (int key = after_copy > 0 ? after_copy : 1; key + 1 < query; ++key) {
                if (pattern.at(query, key) > strongest) {
                    strongest = pattern.at(query, key);
                    best = {layer, head, query, key};
                }
                if (after_copy > 0) break;
            }
        }
    desk_.selection.set(best);
}

void MainWindow::pin_current_as_b() {
    if (!desk_.a()) return;
    desk_.set_b(desk_.a());
    status_->say(tr("This run is B now. Edit the prompt, then press A − B."));
    runs_->show_entries(keeper_->entries());
}

void MainWindow::restore_step(std::int64_t step) {
    const views::RunEntry* entry = keeper_->entry(step);
    if (!entry) return;
    const QString prompt = entry->prompt;
    prompt_->set_text(prompt);
    runner_->show_recorded(prompt, step);
}

void MainWindow::compare_step(std::int64_t step) {
    if (const views::RunEntry* entry = keeper_->entry(step)) runner_->pin_as_b(entry->prompt, step);
}

void MainWindow::model_refused(const engine::ModelRequest& request, const Error& error) {
    const QString sentence = QString::fromStdString(error.message);
    if (bench_.model()) {
        status_->say(sentence);
        top_->set_request(bench_.model()->request);
    } else {
        no_model_->say(sentence, request.name == "default" ? tr("Try again") : tr("Open the default model"));
        centre_->setCurrentWidget(no_model_);
    }
}

bool MainWindow::idle() const { return bench_.jobs().empty() && !desk_.stale(); }

// ---- what the session remembers ----

Json MainWindow::state() const {
    const views::Place& place = desk_.selection.place();
    Json out{
        {"prompt", runner_->text().toStdString()},
        {"specials", static_cast<int>(runner_->specials())},
        {"page", tabs_->tabText(tabs_->currentIndex()).toStdString()},
        {"place", {{"layer", place.layer}, {"head", place.head}, {"query", place.query}, {"key", place.key}}},
        {"attention", attention_->state()},
        {"docks", saveState().toBase64().toStdString()}};
    if (desk_.a() && desk_.a()->prompt == runner_->text()) out["step"] = desk_.a()->step;
    if (bench_.model()) {
        const engine::ModelRequest& request = bench_.model()->request;
        out["model"] = {{"name", request.name},
                        {"device", request.device},
                        {"precision", backend::name_of(request.precision)}};
    }
    return out;
}

void MainWindow::remember() {
    if (restored_) keeper_->remember(state());
}

void MainWindow::restore(const Json& state) {
    if (keeper_->is_open()) {
        runs_dock_->setWindowTitle(tr("Runs"));
        runs_dock_->setToolTip({});
    }
    const bool first = !restored_;
    engine::ModelRequest request = options_.model;
    fresh_ = !state.is_object();
    QString prompt = QString::fromLatin1(example_prompt);
    std::int64_t step = 0;
    if (!fresh_) {
        prompt = QString::fromStdString(state.value("prompt", std::string()));
        step = state.value("step", std::int64_t{0});
        attention_->restore(state.value("attention", Json()));
        restoreState(QByteArray::fromBase64(QByteArray::fromStdString(state.value("docks", std::string()))));
        show_page(QString::fromStdString(state.value("page", std::string())));
        const Json place = state.value("place", Json::object());
        desk_.selection.set_bounds(1 << 20, 1 << 20, 1 << 20); // the run cuts it to what there is
        desk_.selection.set({place.value("layer", 0), place.value("head", 0), place.value("query", 0),
                             place.value("key", 0)});
        if (!options_.model_given && state.contains("model")) {
            const Json& model = state["model"];
            request.name = model.value("name", request.name);
            request.device = model.value("device", request.device);
            request.precision = model.value("precision", std::string()) == "mixed"
                                    ? backend::Precision::mixed
                                    : backend::Precision::exact;
        }
    }
    request.threads = Preferences::load().threads;
    prompt_->set_text(prompt);
    if (step != 0)
        runner_->show_recorded(prompt, step);
    else
        runner_->set_text(prompt);
    top_->set_request(request);
    if (first || !bench_.model()) bench_.open_model(request);
    setWindowTitle(tr("%1 – Vitrine").arg(QString::fromStdString(options_.session.stem().string())));
    restored_ = true;
}

void MainWindow::choose_session() {
    const QString folder = QFileDialog::getExistingDirectory(
        this, tr("Open a session, or choose an empty folder for a new one"));
    if (folder.isEmpty()) return;
    keeper_->flush();
    options_.session = folder.toStdString();
    QSettings().setValue(QStringLiteral("session"), folder);
    keeper_->open(options_.session);
}

// ---- pages and dialogs ----

AnalysisPage* MainWindow::analysis_page(const QString& name) const {
    for (const auto& [title, page] : analyses_)
        if (title == name) return page;
    return nullptr;
}

void MainWindow::show_page(const QString& name) {
    for (int i = 0; i < tabs_->count(); ++i)
        if (tabs_->tabText(i) == name) tabs_->setCurrentIndex(i);
}

void MainWindow::tear_off() {
    if (tabs_->count() < 2) return;
    const int at = tabs_->currentIndex();
    QWidget* page = tabs_->widget(at);
    const QString name = tabs_->tabText(at);
    tabs_->removeTab(at);
    auto* dock = new QDockWidget(name, this);
    dock->setAttribute(Qt::WA_DeleteOnClose);
    dock->setWidget(page);
    dock->setFloating(true);
    dock->resize(900, 620);
    page->show();
    connect(dock, &QDockWidget::visibilityChanged, this, [this, dock, page, name, at](bool visible) {
        if (visible || dock->widget() != page || isMinimized()) return;
        dock->setWidget(nullptr);
        page->setParent(this);
        tabs_->insertTab(at, page, name);
    });
    dock->show();
}

void MainWindow::show_settings() {
    auto* dialog = new SettingsDialog(Preferences::load(), this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &SettingsDialog::changed, this, [this](const Preferences& preferences) {
        preferences.save();
        appearance_->set_amounts(preferences.amounts);
        appearance_->set_scheme(preferences.scheme);
    });
    dialog->open();
}

void MainWindow::show_help() { help_->show_topic(tabs_->tabText(tabs_->currentIndex()).toLower()); }

void MainWindow::keyPressEvent(QKeyEvent* event) {
    const bool token = event->modifiers() & Qt::ControlModifier;
    const int across = event->key() == Qt::Key_Left ? -1 : event->key() == Qt::Key_Right ? 1 : 0;
    const int down = event->key() == Qt::Key_Up ? -1 : event->key() == Qt::Key_Down ? 1 : 0;
    if (across == 0 && down == 0) return QMainWindow::keyPressEvent(event);
    // Arrows: layer (up, down) and head; with Ctrl query (left, right) and key.
    if (token)
        desk_.selection.move(0, 0, across, down);
    else
        desk_.selection.move(down, across, 0, 0);
}

void MainWindow::closeEvent(QCloseEvent* event) {
    remember();
    keeper_->flush();
    event->accept();
}

} // namespace vitrine::window
