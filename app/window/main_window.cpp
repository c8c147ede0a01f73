#include "app/window/main_window.h"

#include <QDockWidget>
#include <QKeyEvent>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScreen>
#include <QStackedWidget>
#include <QTabWidget>
#include <QVBoxLayout>

#include "app/window/model_facts.h"
#include "core/base/version.h"
#include "views/shared/gestures.h"

namespace vitrine::window {

MainWindow::MainWindow(const WindowOptions& options, QWidget* parent)
    : QMainWindow(parent), options_(options), appearance_(new Appearance(this)) {
    setWindowTitle(tr("Vitrine"));
    setAcceptDrops(true);
    desk_.set_theme(appearance_->theme());
    connect(appearance_, &Appearance::changed, this, [this] { desk_.set_theme(appearance_->theme()); });
    const Preferences preferences = Preferences::load();
    appearance_->set_amounts(preferences.amounts);
    appearance_->set_scheme(preferences.scheme);
    runner_ = new Runner(bench_, desk_, this);
    keeper_ = new SessionKeeper(bench_, this);
    build();
    build_actions();
    connect_parts();
    connect_session();
    bench_.post(
        this, "manifests", "list the analyses",
        [](engine::Engine& engine, const CancelToken&, const Progress&) { return engine.manifests(); },
        [this](const Json& manifests) {
            manifests_ = manifests;
            for (auto& [name, page] : analyses_)
                page->set_manifests(manifests);
            training_->set_manifests(manifests);
            lanes_->set_manifests(manifests);
        });
    keeper_->open(options_.session);
}

MainWindow::~MainWindow() {
    // Views outlive the desk's last signal only if nobody is told any more.
    desk_.disconnect();
    desk_.selection.disconnect();
    desk_.edits.disconnect();
    desk_.edit_sets.disconnect();
    desk_.heads.disconnect();
    // Docks and tabs are hidden as they go, when there is nothing to remember it any more.
    for (QObject* part : findChildren<QObject*>())
        part->disconnect(this);
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
    doors_bar_ = new views::DoorsBar(desk_, window::doors(), this);
    doors_bar_->hide();
    doors_ = new Doors(bench_, desk_, *runner_, *prompt_, *doors_bar_, this);
    auto* pages = new QWidget(this);
    auto* stack = new QVBoxLayout(pages);
    stack->setContentsMargins(0, 0, 0, 0);
    stack->setSpacing(0);
    warning_ = build_warning();
    stack->addWidget(warning_);
    stack->addWidget(doors_bar_);
    stack->addWidget(tabs_, 1);
    centre_ = new QStackedWidget(this);
    centre_->addWidget(pages);
    centre_->addWidget(no_model_);
    centre_->setCurrentWidget(no_model_);
    setCentralWidget(centre_);
    build_docks();
    palette_ = new Palette(this);
    help_ = new HelpDialog(this);
    const QSize room = screen()->availableSize();
    resize(std::min(1500, room.width()), std::min(940, room.height()));
    prompt_->editor()->setFocus();
}

// Above every page while the device lies outside the band and the user has not accepted that.
QWidget* MainWindow::build_warning() {
    auto* bar = new QWidget(this);
    auto* words =
        new QLabel(tr("⚠ This device computes other numbers than the reference: the self-check lies "
                      "outside the band."),
                   bar);
    words->setWordWrap(true);
    auto* show = new QPushButton(tr("Show"), bar);
    auto* accept = new QPushButton(tr("Accept"), bar);
    show->setToolTip(tr("The self-check's card on the Model page"));
    accept->setToolTip(tr("Go on with this device; the warning goes, and this is remembered"));
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(8, 4, 8, 4);
    row->addWidget(words, 1);
    row->addWidget(show);
    row->addWidget(accept);
    connect(show, &QPushButton::clicked, this, &MainWindow::show_check_card);
    connect(accept, &QPushButton::clicked, &bench_, &Bench::accept_check);
    const auto colour = [this, words] {
        words->setStyleSheet(QStringLiteral("color: %1").arg(desk_.theme().warning.name()));
    };
    connect(&desk_, &views::Desk::theme_changed, words, colour);
    colour();
    bar->hide();
    return bar;
}

void MainWindow::build_docks() {
    setCorner(Qt::BottomLeftCorner, Qt::BottomDockWidgetArea);
    setCorner(Qt::BottomRightCorner, Qt::BottomDockWidgetArea);
    const auto dock = [this](const QString& title, const char* name, QWidget* content,
                             Qt::DockWidgetArea area) {
        auto* out = new QDockWidget(title, this);
        out->setObjectName(QLatin1String(name));
        out->setWidget(content);
        addDockWidget(area, out);
        connect(out, &QDockWidget::visibilityChanged, this, &MainWindow::remember);
        return out;
    };
    runs_ = new views::RunsList(desk_, this);
    edits_ = new views::EditPanel(desk_, this);
    inspector_ = new views::Inspector(desk_, this);
    runs_dock_ = dock(tr("Runs"), "runs", runs_, Qt::LeftDockWidgetArea);
    edits_dock_ = dock(tr("Interventions"), "interventions", edits_, Qt::LeftDockWidgetArea);
    inspector_dock_ = dock(tr("Selection"), "inspector", inspector_, Qt::RightDockWidgetArea);
    const int width = screen()->availableSize().width();
    resizeDocks({runs_dock_, inspector_dock_}, {width < 1600 ? 172 : 230, width < 1600 ? 250 : 310},
                Qt::Horizontal);
    resizeDocks({runs_dock_, edits_dock_}, {280, 240}, Qt::Vertical);

    status_ = new StatusLine(bench_, desk_, this);
    auto* foot = new QDockWidget(this); // a bottom dock spans the whole width, as a status line should
    foot->setObjectName(QStringLiteral("status"));
    foot->setTitleBarWidget(new QWidget(foot));
    foot->setFeatures(QDockWidget::NoDockWidgetFeatures);
    foot->setWidget(status_);
    addDockWidget(Qt::BottomDockWidgetArea, foot);
}

void MainWindow::connect_parts() {
    connect(&bench_, &Bench::model_changed, this, [this] {
        centre_->setCurrentIndex(0);
        show_facts();
    });
    connect(&bench_, &Bench::model_refused, this, &MainWindow::model_refused);
    connect(&bench_, &Bench::checking, this, &MainWindow::show_facts);
    connect(&bench_, &Bench::checking, this, [this] {
        warning_->hide();
        model_page_->show_check(tr("Self-check: the device is compared with the reference…"),
                                views::ModelPage::Check::running);
    });
    connect(&bench_, &Bench::checked, this, [this](const engine::SelfCheck& check) {
        const bool warn = !check.passed && !check.accepted;
        model_page_->show_check(words_of(check), check.passed ? views::ModelPage::Check::good
                                                 : warn       ? views::ModelPage::Check::outside
                                                              : views::ModelPage::Check::accepted);
        warning_->setVisible(warn);
        show_facts();
    });
    connect(&bench_, &Bench::check_failed, this, [this](const Error& error) {
        model_page_->show_check(QString::fromStdString(error.message), views::ModelPage::Check::unknown);
    });
    connect(&bench_, &Bench::check_accepted, keeper_, &SessionKeeper::refresh);
    connect(model_page_, &views::ModelPage::check_wanted, this, [this] { bench_.check_model(true); });
    connect(model_page_, &views::ModelPage::accept_wanted, &bench_, &Bench::accept_check);
    connect(model_page_, &views::ModelPage::cancel_wanted, &bench_, &Bench::cancel_check);
    connect(top_, &TopBar::check_clicked, this, &MainWindow::show_check_card);
    connect(top_, &TopBar::model_wanted, &bench_, &Bench::open_model);
    connect(top_, &TopBar::search_wanted, this, [this] { open_palette(); });
    connect(top_, &TopBar::pin_wanted, this, &MainWindow::pin_current_as_b);
    connect(no_model_, &views::EmptyState::pressed, this, [this] {
        engine::ModelRequest request;
        request.name = "default";
        no_model_->say(tr("Opening the model…"));
        bench_.open_model(request);
    });
    connect(runner_, &Runner::arrived, this, [this](double ms) {
        status_->show_latency(ms);
        first_run();
        apply_pending();
        remember();
    });
    connect(runner_, &Runner::generating, this,
            [this](const QString& text) { status_->say(tr("generating: …%1").arg(text)); });
    connect(runner_, &Runner::generated, this, [this] { status_->forget(); });
    connect(&desk_, &views::Desk::explain_wanted, this, &MainWindow::explain);
    connect(&desk_, &views::Desk::export_wanted, this, &MainWindow::export_canvas);
    connect(&desk_, &views::Desk::detail_wanted, this, [this](const figure::Spot& spot) {
        desk_.choose(spot, false);
        // In the grid itself a head's detail is the head alone.
        if (page() == tr("Attention") && spot.head >= 0) attention_->show_grid(!attention_->grid_shown());
        show_page(tr("Attention"));
    });
    connect(&desk_.selection, &views::Selection::changed, this, &MainWindow::remember);
    connect(&desk_.edits, &views::EditList::changed, this, &MainWindow::remember);
    connect(&desk_.edit_sets, &views::EditSets::changed, this, &MainWindow::remember);
    connect(&desk_, &views::Desk::run_changed, this, &MainWindow::remember);
    connect(attention_, &views::AttentionPage::state_changed, this, &MainWindow::remember);
    connect(attention_, &views::AttentionPage::controls_changed, this, &MainWindow::place_controls);
    connect(attention_, &views::AttentionPage::example_wanted, this,
            [this] { doors_->open(QStringLiteral("induction")); });
    connect(tabs_, &QTabWidget::currentChanged, this, [this] {
        status_->forget();
        place_controls();
        remember();
    });
    connect(edits_, &views::EditPanel::refused, this,
            [this](const QString& sentence) { status_->say(sentence); });
    connect(doors_, &Doors::page_wanted, this, &MainWindow::show_page);
    connect(doors_bar_, &views::DoorsBar::closed, this, &MainWindow::remember);
    // Who writes has found in; what a door told is about another text.
    connect(prompt_->editor(), &QPlainTextEdit::textChanged, this, [this] {
        if (!doors_bar_->isHidden()) doors_bar_->hide();
    });
    connect(inspector_->next_tokens(), &views::NextTokensView::append_wanted, this,
            [this](const QString& text) {
                prompt_->editor()->moveCursor(QTextCursor::End);
                prompt_->editor()->insertPlainText(text);
            });
    connect(inspector_->next_tokens(), &views::NextTokensView::picked, cause_, &CausePage::take_token);
    connect(inspector_->next_tokens(), &views::NextTokensView::answer_wanted, this, [this](std::int32_t id) {
        cause_->use_as_answer(id);
        show_page(tr("Cause"));
    });
    connect(inspector_->next_tokens(), &views::NextTokensView::distractor_wanted, this,
            [this](std::int32_t id) {
                cause_->use_as_distractor(id);
                show_page(tr("Cause"));
            });
}

void MainWindow::show_facts() {
    if (!bench_.model()) return;
    const engine::OpenModel& model = *bench_.model();
    const Json provenance{{"model", model.request.name},
                          {"weights_hash", model.model.weights_hash},
                          {"device", model.loaded->device().name},
                          {"precision", backend::name_of(model.loaded->precision())},
                          {"version", version()}};
    model_page_->show_facts(model_facts(model, bench_.check() ? &*bench_.check() : nullptr),
                            QStringLiteral("vitrine-cli model %1 --tensors")
                                .arg(views::shell_word(QString::fromStdString(model.request.name))),
                            provenance);
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

bool MainWindow::idle() const {
    for (const auto& [name, page] : analyses_)
        if (page->waiting()) return false;
    if (heads_feed_->waiting() || training_->waiting()) return false;
    return bench_.jobs().empty() && !desk_.stale() && pending_.is_null();
}

void MainWindow::show_check_card() {
    model_tabs_->setCurrentIndex(0);
    show_page(tr("Model"));
}

void MainWindow::explain(const QString& topic) {
    help_->show_topic(topic.isEmpty() ? page().toLower() : topic);
}

void MainWindow::keyPressEvent(QKeyEvent* event) {
    if (views::handle_selection_key(desk_, *event)) return;
    const bool plain = event->modifiers() == Qt::NoModifier;
    views::FigureCanvas* const meant = canvas();
    if (meant && plain && (event->key() == Qt::Key_F || event->key() == Qt::Key_0))
        meant->fit();
    else if (meant && plain && event->key() == Qt::Key_E)
        export_canvas(meant);
    else
        QMainWindow::keyPressEvent(event);
}

} // namespace vitrine::window
