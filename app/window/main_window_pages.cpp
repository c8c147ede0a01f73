// The pages: what they are, how one is shown, where their controls stand.
#include <QApplication>
#include <QDockWidget>
#include <QHBoxLayout>
#include <QTabBar>
#include <QTabWidget>

#include "app/window/main_window.h"

namespace vitrine::window {

void MainWindow::build_pages() {
    tabs_ = new QTabWidget(this);
    tabs_->setDocumentMode(true);
    attention_ = new views::AttentionPage(desk_, this);
    tabs_->addTab(attention_, tr("Attention"));
    measures_ = new AttentionMeasures(bench_, desk_, *runner_, *attention_, this);
    connect(measures_, &AttentionMeasures::recorded, keeper_, &SessionKeeper::refresh);
    connect(attention_, &views::AttentionPage::arcs_changed, prompt_->strip(), &views::TokenStrip::set_arcs);
    heads_ = new views::HeadsPage(desk_, this);
    tabs_->addTab(heads_, tr("Heads"));
    heads_feed_ = new HeadsFeed(bench_, desk_, *runner_, *heads_, this);
    connect(heads_feed_, &HeadsFeed::recorded, keeper_, &SessionKeeper::refresh);
    connect(heads_, &views::HeadsPage::state_changed, this, &MainWindow::remember);
    const auto add = [this](const QString& name, const char* topic, const QStringList& ids, bool live) {
        auto* page = new AnalysisPage(bench_, desk_, *runner_, ids, QLatin1String(topic), this);
        page->set_live(live);
        tabs_->addTab(page, name);
        know(name, page);
    };
    sinks_ = new SinksPage(bench_, desk_, *runner_, this);
    add_panels(tr("Sinks"), sinks_);
    const QStringList head_entropy{QStringLiteral("head-entropy")},
        lens_entropy{QStringLiteral("lens-entropy")};
    auto* lanes = new views::LanesPage(desk_, this);
    lanes_ = new LanesFeed(bench_, desk_, *runner_, *lanes, this);
    connect(lanes_, &LanesFeed::recorded, keeper_, &SessionKeeper::refresh);
    connect(lanes_, &LanesFeed::state_changed, this, &MainWindow::remember);
    add_panels(tr("Entropy"), new PanelPage(bench_, desk_, *runner_, QStringLiteral("entropy"), lanes,
                                            {{head_entropy, {QStringLiteral("normalised")}},
                                             {lens_entropy, {QStringLiteral("entropy")}}},
                                            this));
    auto* lens = new PanelPage(bench_, desk_, *runner_, QStringLiteral("lens"), LensPins::grid(),
                               {LensPins::followed(), LensPins::parts()}, this);
    add_panels(tr("Lens"), lens);
    pins_ = new LensPins(desk_, *lens, this);
    connect(pins_, &LensPins::state_changed, this, &MainWindow::remember);
    cause_ = new CausePage(bench_, desk_, *runner_, this);
    add_panels(tr("Cause"), cause_);
    add(tr("Analyses"), "analyses", {}, false);
    model_tabs_ = new QTabWidget(this); // what it is, and its weights
    model_tabs_->setDocumentMode(true);
    model_tabs_->setTabPosition(QTabWidget::South);
    model_page_ = new views::ModelPage(desk_, this);
    auto* weights = new AnalysisPage(
        bench_, desk_, *runner_,
        {QStringLiteral("weights-spectra"), QStringLiteral("ov-qk"), QStringLiteral("composition")},
        QStringLiteral("model"), this);
    know(tr("Weights"), weights);
    model_tabs_->addTab(model_page_, tr("What it is"));
    model_tabs_->addTab(weights, tr("Weights"));
    training_ = new TrainingPage(bench_, desk_, this);
    model_tabs_->addTab(training_, tr("Training"));
    connect(training_, &TrainingPage::recorded, keeper_, &SessionKeeper::refresh);
    connect(training_, &TrainingPage::state_changed, this, &MainWindow::remember);
    tabs_->addTab(model_tabs_, tr("Model"));
    session_page_ = new views::SessionPage(desk_, this);
    session_actions_ = new SessionActions(bench_, *keeper_, *session_page_, this);
    tabs_->addTab(session_page_, tr("Session"));
    corner_ = new QWidget(this);
    auto* row = new QHBoxLayout(corner_);
    row->setContentsMargins(0, 0, 0, 0);
    tabs_->setCornerWidget(corner_);
    tabs_->installEventFilter(this);
    place_controls();
}

void MainWindow::know(const QString& name, AnalysisPage* page) {
    analyses_.emplace_back(name, page);
    connect(page, &AnalysisPage::recorded, keeper_, &SessionKeeper::refresh);
    connect(page, &AnalysisPage::state_changed, this, &MainWindow::remember);
}

void MainWindow::add_panels(const QString& name, PanelPage* page) {
    tabs_->addTab(page, name);
    panels_.emplace_back(name, page);
    connect(page, &PanelPage::state_changed, this, &MainWindow::remember);
    int number = 0;
    for (AnalysisPage* panel : page->panels())
        know(panel == page->main() ? name : QStringLiteral("%1/%2").arg(name).arg(++number), panel);
}

QWidget* MainWindow::controls_of(QWidget* page) const {
    if (page == attention_) return attention_->controls();
    if (page == heads_) return heads_->controls();
    if (auto* panels = qobject_cast<PanelPage*>(page)) page = panels->main();
    if (auto* analysis = qobject_cast<AnalysisPage*>(page)) return analysis->controls();
    return nullptr;
}

void MainWindow::take_back_controls() {
    QWidget* page = lent_;
    if (page == attention_) attention_->take_controls();
    if (page == heads_) heads_->take_controls();
    if (auto* panels = qobject_cast<PanelPage*>(page)) page = panels->main();
    if (auto* analysis = qobject_cast<AnalysisPage*>(page)) analysis->take_controls();
    lent_.clear();
}

// The controls of the page shown stand beside the tabs if there is room: that leaves the picture a line more.
void MainWindow::place_controls() {
    QWidget* page = tabs_->currentWidget();
    QWidget* controls = controls_of(page);
    const int room = tabs_->width() - tabs_->tabBar()->sizeHint().width();
    const bool fits = controls && controls->sizeHint().width() + 8 <= room;
    if (lent_ && (lent_ != page || !fits)) take_back_controls();
    if (fits && lent_ != page) {
        corner_->layout()->addWidget(controls);
        controls->show();
        lent_ = page;
    }
    corner_->setVisible(fits);
    if (!fits) corner_->setGeometry(0, 0, 0, 0); // QTabWidget paints a line where even a hidden one lies
}

bool MainWindow::eventFilter(QObject* watched, QEvent* event) {
    if (watched == tabs_ && event->type() == QEvent::Resize) place_controls();
    return QMainWindow::eventFilter(watched, event);
}

AnalysisPage* MainWindow::analysis_page(const QString& name) const {
    for (const auto& [title, page] : analyses_)
        if (title == name) return page;
    return nullptr;
}

QString MainWindow::page() const { return tabs_->tabText(tabs_->currentIndex()); }

void MainWindow::show_page(const QString& name) {
    for (int i = 0; i < tabs_->count(); ++i)
        if (tabs_->tabText(i) == name) tabs_->setCurrentIndex(i);
}

void MainWindow::show_weights() {
    model_tabs_->setCurrentIndex(1);
    show_page(tr("Model"));
}

void MainWindow::show_training() {
    model_tabs_->setCurrentWidget(training_);
    show_page(tr("Model"));
}

void MainWindow::tear_off() {
    if (tabs_->count() < 2) return;
    const int at = tabs_->currentIndex();
    QWidget* page = tabs_->widget(at);
    const QString name = tabs_->tabText(at);
    if (lent_ == page) take_back_controls();
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
        place_controls();
    });
    dock->show();
}

views::FigureCanvas* MainWindow::canvas() const {
    if (auto* focused = qobject_cast<views::FigureCanvas*>(QApplication::focusWidget())) return focused;
    QWidget* shown = tabs_->currentWidget();
    if (shown == attention_) return attention_->head_canvas();
    if (shown == heads_) return heads_->map_canvas();
    if (auto* panels = qobject_cast<PanelPage*>(shown)) return panels->canvas();
    if (shown == model_tabs_) shown = model_tabs_->currentWidget();
    return shown->findChild<views::FigureCanvas*>();
}

} // namespace vitrine::window
