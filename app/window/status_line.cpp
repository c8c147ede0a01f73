#include "app/window/status_line.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QProgressBar>
#include <QToolButton>

namespace vitrine::window {

namespace {

constexpr double shown_from_s = 0.3;
constexpr double time_left_from_s = 10;
constexpr int look_ms = 100;
constexpr int say_ms = 6000;

QString duration(double seconds) {
    const int whole = static_cast<int>(seconds + 0.5);
    return QStringLiteral("%1:%2").arg(whole / 60).arg(whole % 60, 2, 10, QLatin1Char('0'));
}

} // namespace

StatusLine::StatusLine(Bench& bench, views::Desk& desk, QWidget* parent)
    : QWidget(parent), bench_(bench), desk_(desk), where_(new QLabel(this)),
      said_(new views::ElidedLabel(this)), doing_(new QLabel(this)), bar_(new QProgressBar(this)),
      cancel_(new QToolButton(this)), jobs_(new QToolButton(this)) {
    cancel_->setText(tr("Cancel"));
    jobs_->setPopupMode(QToolButton::InstantPopup);
    jobs_->setAutoRaise(true);
    bar_->setTextVisible(false);
    bar_->setFixedSize(140, 8);
    bar_->setRange(0, 1000);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(10, 2, 10, 2);
    row->setSpacing(10);
    row->addWidget(where_);
    row->addWidget(said_, 1);
    row->addWidget(doing_);
    row->addWidget(bar_);
    row->addWidget(cancel_);
    row->addWidget(jobs_);
    setFixedHeight(28);
    forget_.setSingleShot(true);
    clock_.setInterval(look_ms);
    connect(&forget_, &QTimer::timeout, this, &StatusLine::forget);
    connect(&desk_, &views::Desk::pointed, this, [this](const QString& line) {
        pointed_ = line;
        show_words();
    });
    connect(&clock_, &QTimer::timeout, this, &StatusLine::refresh);
    connect(&bench_, &Bench::jobs_changed, this, [this] {
        if (!clock_.isActive()) clock_.start();
    });
    connect(&desk_, &views::Desk::run_changed, this, &StatusLine::show_run);
    connect(cancel_, &QToolButton::clicked, &bench_, &Bench::cancel_all);
    jobs_->setMenu(new QMenu(jobs_));
    connect(jobs_->menu(), &QMenu::aboutToShow, this, &StatusLine::open_menu);
    refresh();
}

void StatusLine::show_latency(double milliseconds) {
    latency_ms_ = milliseconds;
    show_run();
}

void StatusLine::show_run() {
    const views::RunPtr& run = desk_.shown();
    if (!run) return;
    where_->setText(
        tr("%1 · %2 · %3 ms (engine %4)")
            .arg(run->device, run->precision, figure::number(latency_ms_), figure::number(run->engine_ms)));
    where_->setToolTip(
        tr("Device · precision · time from the last keystroke to the picture (time on the device)"));
}

void StatusLine::say(const QString& sentence) {
    sentence_ = sentence;
    show_words();
    forget_.start(say_ms);
}

void StatusLine::forget() {
    forget_.stop();
    sentence_.clear();
    show_words();
}

void StatusLine::show_words() { said_->say(pointed_.isEmpty() ? sentence_ : pointed_); }

void StatusLine::refresh() {
    const auto jobs = bench_.jobs();
    if (jobs.empty()) clock_.stop();
    const engine::JobStatus* longest = nullptr;
    for (const engine::JobStatus& job : jobs)
        if (job.running && job.seconds >= shown_from_s) longest = &job;
    for (QWidget* widget :
         {static_cast<QWidget*>(doing_), static_cast<QWidget*>(bar_), static_cast<QWidget*>(cancel_)})
        widget->setVisible(longest != nullptr);
    jobs_->setVisible(longest != nullptr);
    if (!longest) return;
    QString text = QString::fromStdString(longest->label);
    if (!longest->doing.empty() && longest->doing != longest->label)
        text += QStringLiteral(": ") + QString::fromStdString(longest->doing);
    if (longest->share > 0) text += QStringLiteral(" %1 %").arg(static_cast<int>(100 * longest->share));
    if (longest->seconds > time_left_from_s && longest->share > 0.02)
        text += tr(" · %1 left").arg(duration(longest->seconds * (1 - longest->share) / longest->share));
    doing_->setText(text);
    bar_->setValue(static_cast<int>(1000 * longest->share));
    jobs_->setText(jobs.size() == 1 ? tr("1 job") : tr("%1 jobs").arg(jobs.size()));
}

void StatusLine::open_menu() {
    jobs_->menu()->clear();
    for (const engine::JobStatus& job : bench_.jobs()) {
        const engine::JobId id = job.id;
        jobs_->menu()->addAction(tr("Cancel: %1").arg(QString::fromStdString(job.label)), this,
                                 [this, id] { bench_.cancel(id); });
    }
}

} // namespace vitrine::window
