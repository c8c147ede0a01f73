#include "app/window/top_bar.h"

#include <QButtonGroup>
#include <QComboBox>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QPushButton>
#include <QSettings>
#include <QToolButton>

namespace vitrine::window {

namespace {

constexpr int most_recent = 8;

// 1.5 GB: bytes as stores and disks count them.
QString bytes_text(std::uint64_t bytes) {
    const auto count = static_cast<double>(bytes);
    if (count >= 1e9) return QStringLiteral("%1 GB").arg(figure::number(count / 1e9));
    return QStringLiteral("%1 MB").arg(figure::number(count / 1e6));
}

// A path's last part says enough on a button; the rest is on hover.
QString short_name(const QString& name) {
    return name.section(QLatin1Char('/'), -1, -1, QString::SectionSkipEmpty);
}

} // namespace

TopBar::TopBar(Bench& bench, views::Desk& desk, QWidget* parent)
    : QWidget(parent), bench_(bench), desk_(desk), model_(new QToolButton(this)),
      model_menu_(new QMenu(this)), device_(new QComboBox(this)), precision_(new QComboBox(this)),
      check_(new QLabel(this)), sides_(new QButtonGroup(this)),
      search_(new QPushButton(tr("Search or command   Ctrl+K"), this)), menu_button_(new QToolButton(this)),
      menu_(new QMenu(this)) {
    request_.name = "default";
    model_->setPopupMode(QToolButton::InstantPopup);
    model_->setMenu(model_menu_);
    model_->setToolButtonStyle(Qt::ToolButtonTextOnly);
    model_->setText(tr("default ▾"));
    device_->addItem(tr("auto"), QStringLiteral("auto"));
    device_->setToolTip(tr("Device that runs are made on"));
    device_->setMaximumWidth(190);
    precision_->addItem(tr("exact"), static_cast<int>(backend::Precision::exact));
    precision_->addItem(tr("mixed"), static_cast<int>(backend::Precision::mixed));
    precision_->setToolTip(
        tr("exact: float32 throughout. mixed: 16-bit weights and products, for devices that have them."));
    search_->setFlat(false);
    menu_button_->setText(tr("Menu ▾"));
    menu_button_->setPopupMode(QToolButton::InstantPopup);
    menu_button_->setMenu(menu_);

    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(10, 4, 10, 0);
    row->setSpacing(8);
    for (QWidget* widget : {static_cast<QWidget*>(model_), static_cast<QWidget*>(device_),
                            static_cast<QWidget*>(precision_), static_cast<QWidget*>(check_)})
        row->addWidget(widget);
    row->addSpacing(16);
    const std::array<std::pair<QString, QString>, 3> sides = {
        {{tr("A"), tr("Show the current run")},
         {tr("B"), tr("Show the pinned run; pins the current one if there is none")},
         {tr("A − B"), tr("Show the difference")}}};
    for (int i = 0; i < 3; ++i) {
        auto* button = new QToolButton(this);
        button->setText(sides[static_cast<std::size_t>(i)].first);
        button->setToolTip(sides[static_cast<std::size_t>(i)].second);
        button->setCheckable(true);
        sides_->addButton(button, i);
        row->addWidget(button);
    }
    row->addStretch(1);
    row->addWidget(search_);
    row->addWidget(menu_button_);

    connect(sides_, &QButtonGroup::idClicked, this, [this](int id) {
        if (id != 0 && !desk_.b()) {
            show_side();
            emit pin_wanted();
            return;
        }
        desk_.set_side(static_cast<views::Side>(id));
    });
    connect(&desk_, &views::Desk::run_changed, this, &TopBar::show_side);
    connect(search_, &QPushButton::clicked, this, &TopBar::search_wanted);
    model_menu_->setToolTipsVisible(true);
    connect(model_menu_, &QMenu::aboutToShow, this, [this] {
        fill_model_menu();
        look_for_models();
    });
    connect(device_, &QComboBox::activated, this, [this] {
        request_.device = device_->currentData().toString().toStdString();
        emit model_wanted(request_);
    });
    connect(precision_, &QComboBox::activated, this, [this] {
        request_.precision = static_cast<backend::Precision>(precision_->currentData().toInt());
        emit model_wanted(request_);
    });
    connect(&bench_, &Bench::model_changed, this, [this] {
        set_request(bench_.model()->request);
        const auto& spec = bench_.model()->model.spec;
        model_->setToolTip(tr("%1\n%2 layers, %3 heads, d_model %4, %5 parameters")
                               .arg(QString::fromStdString(bench_.model()->model.path))
                               .arg(spec.layers)
                               .arg(spec.heads)
                               .arg(spec.d_model)
                               .arg(figure::count(bench_.model()->model.parameters)));
        QSettings settings;
        QStringList recent = settings.value(QStringLiteral("recent-models")).toStringList();
        const QString name = QString::fromStdString(bench_.model()->request.name);
        recent.removeAll(name);
        if (name != QLatin1String("default")) recent.prepend(name);
        settings.setValue(QStringLiteral("recent-models"), recent.mid(0, most_recent));
    });
    connect(&bench_, &Bench::checking, this, [this] {
        check_->setText(tr("checking…"));
        check_->setToolTip(tr("The device is compared with the reference on a fixed prompt."));
    });
    connect(&bench_, &Bench::checked, this, &TopBar::show_check);
    connect(&bench_, &Bench::check_failed, this, [this](const Error& error) {
        check_->setText(tr("no self-check"));
        check_->setToolTip(QString::fromStdString(error.message));
    });
    check_->setTextInteractionFlags(Qt::LinksAccessibleByMouse | Qt::LinksAccessibleByKeyboard);
    connect(check_, &QLabel::linkActivated, this, &TopBar::check_clicked);
    connect(&desk_, &views::Desk::theme_changed, this, [this] {
        if (bench_.check()) show_check(*bench_.check());
    });
    show_side();
    list_devices();
}

engine::ModelRequest TopBar::request() const { return request_; }

void TopBar::set_request(const engine::ModelRequest& request) {
    request_ = request;
    model_->setText(short_name(QString::fromStdString(request.name)) + QStringLiteral(" ▾"));
    precision_->setCurrentIndex(request.precision == backend::Precision::exact ? 0 : 1);
    int at = device_->findData(QString::fromStdString(request.device));
    if (at < 0) {
        device_->addItem(QString::fromStdString(request.device), QString::fromStdString(request.device));
        at = device_->count() - 1;
    }
    device_->setCurrentIndex(at);
}

QStringList TopBar::devices() const {
    QStringList out;
    for (int i = 0; i < device_->count(); ++i)
        out << device_->itemData(i).toString();
    return out;
}

void TopBar::list_devices() {
    bench_.post(
        this, "devices", "look for devices",
        [](engine::Engine&, const CancelToken&, const Progress&) { return backend::list_devices(); },
        [this](const std::vector<backend::DeviceInfo>& devices) {
            for (const backend::DeviceInfo& device : devices) {
                const QString id = QString::fromStdString(device.id);
                if (device_->findData(id) >= 0) continue;
                device_->addItem(id, id);
                device_->setItemData(device_->count() - 1,
                                     QString::fromStdString(device.name + ", " +
                                                            backend::name_of(device.type) + "\n" +
                                                            device.driver),
                                     Qt::ToolTipRole);
            }
            set_request(request_);
        });
}

void TopBar::show_check(const engine::SelfCheck& check) {
    const figure::Theme& theme = desk_.theme();
    check_->setText(QStringLiteral("<a href='check' style='color:%1; text-decoration:none'>%2 %3</a>")
                        .arg((check.passed ? theme.good : theme.warning).name(),
                             check.passed ? QStringLiteral("✔") : QStringLiteral("⚠"),
                             tr("self-check %1").arg(figure::number(check.max_abs_dlogit))));
    check_->setToolTip(tr("%1, %2 against the CPU on a fixed prompt: largest difference of a logit %3 "
                          "(allowed %4), KL %5 nats, "
                          "most likely tokens %6.%7")
                           .arg(QString::fromStdString(check.device), QString::fromStdString(check.precision),
                                figure::number(check.max_abs_dlogit), figure::number(check.band),
                                figure::number(check.kl), check.argmax_agreement ? tr("agree") : tr("differ"),
                                check.first_divergent.empty()
                                    ? QString()
                                    : tr("\nFirst value outside the band: %1")
                                          .arg(QString::fromStdString(check.first_divergent))));
}

void TopBar::show_side() {
    if (QAbstractButton* button = sides_->button(static_cast<int>(desk_.side()))) button->setChecked(true);
}

void TopBar::fill_model_menu() {
    model_menu_->clear();
    const auto entry = [this](const QString& name) {
        model_menu_->addAction(name, this, [this, name] {
            request_.name = name.toStdString();
            emit model_wanted(request_);
        });
    };
    entry(QStringLiteral("default"));
    for (const QString& name : QSettings().value(QStringLiteral("recent-models")).toStringList())
        entry(name);
    add_stores();
    model_menu_->addSeparator();
    model_menu_->addAction(tr("Open a model's folder…"), this, &TopBar::choose_folder);
    model_menu_->addAction(tr("Open a GGUF file…"), this, &TopBar::choose_file);
}

// What other programs keep: a click opens it; what is broken says why on hover.
void TopBar::add_stores() {
    if (!stores_ || stores_->models.empty()) return;
    const auto heading = [this](const QString& text) {
        model_menu_->addSeparator();
        model_menu_->addAction(text)->setEnabled(false);
    };
    const std::uint64_t free = catalogue::available_memory();
    std::string store;
    for (const catalogue::Entry& entry : stores_->models) {
        if (entry.store != store) heading(QString::fromStdString(entry.store));
        store = entry.store;
        const QString name = QString::fromStdString(entry.name);
        QString title = name;
        title.replace(QLatin1Char('&'), QStringLiteral("&&"));
        QString about = QString::fromStdString(entry.path.string());
        if (entry.problem.empty()) {
            title += QLatin1Char('\t') + bytes_text(entry.bytes);
            about = tr("%1, %2 parameters\n%3")
                        .arg(QString::fromStdString(entry.family), figure::count(entry.parameters), about);
            if (entry.bytes > free) about += tr("\nNeeds more memory than is free.");
        } else {
            about = QString::fromStdString(entry.problem);
        }
        QAction* action = model_menu_->addAction(title, this, [this, name] {
            request_.name = name.toStdString();
            emit model_wanted(request_);
        });
        action->setEnabled(entry.problem.empty());
        action->setToolTip(about);
    }
    for (const catalogue::Store& said : stores_->stores)
        if (!said.problem.empty()) heading(QString::fromStdString(said.problem));
    heading(tr("%1 of memory are free").arg(bytes_text(free)));
}

void TopBar::look_for_models() {
    bench_.post(
        this, "models", "look for models",
        [](engine::Engine&, const CancelToken&, const Progress&) {
            return catalogue::list(catalogue::places());
        },
        [this](catalogue::Listing found) {
            stores_ = std::move(found);
            if (model_menu_->isVisible()) fill_model_menu();
        });
}

void TopBar::choose_folder() {
    const QString folder = QFileDialog::getExistingDirectory(
        this, tr("Open a model: a folder with config.json and its weights"));
    if (folder.isEmpty()) return;
    request_.name = folder.toStdString();
    emit model_wanted(request_);
}

void TopBar::choose_file() {
    const QString file = QFileDialog::getOpenFileName(this, tr("Open a model in one file"), {},
                                                      tr("Models in GGUF form (*.gguf);;All files (*)"));
    if (file.isEmpty()) return;
    request_.name = file.toStdString();
    emit model_wanted(request_);
}

} // namespace vitrine::window
