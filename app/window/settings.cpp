#include "app/window/settings.h"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QFileDialog>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSettings>
#include <QSpinBox>
#include <QStandardPaths>
#include <QThread>

namespace vitrine::window {

namespace {

constexpr int sizes[] = {90, 100, 110, 125, 150, 175, 200};

} // namespace

Preferences Preferences::load() {
    const QSettings settings;
    Preferences out;
    out.scheme = static_cast<Scheme>(std::clamp(settings.value(QStringLiteral("scheme"), 0).toInt(), 0, 2));
    out.amounts = settings.value(QStringLiteral("map")).toString() == QLatin1String("viridis")
                      ? figure::Map::viridis
                      : figure::Map::cividis;
    out.device = settings.value(QStringLiteral("device"), out.device).toString();
    out.precision = settings.value(QStringLiteral("precision")).toString() == QLatin1String("mixed")
                        ? backend::Precision::mixed
                        : backend::Precision::exact;
    out.threads = std::max(0, settings.value(QStringLiteral("threads"), 0).toInt());
    out.size = std::clamp(settings.value(QStringLiteral("size"), 100).toInt(), 50, 300);
    out.sessions = settings.value(QStringLiteral("sessions")).toString();
    if (out.sessions.isEmpty())
        out.sessions = QStandardPaths::writableLocation(QStandardPaths::AppDataLocation);
    return out;
}

void Preferences::save() const {
    QSettings settings;
    settings.setValue(QStringLiteral("scheme"), static_cast<int>(scheme));
    settings.setValue(QStringLiteral("map"), amounts == figure::Map::viridis ? QStringLiteral("viridis")
                                                                             : QStringLiteral("cividis"));
    settings.setValue(QStringLiteral("device"), device);
    settings.setValue(QStringLiteral("precision"), QString::fromStdString(backend::name_of(precision)));
    settings.setValue(QStringLiteral("threads"), threads);
    settings.setValue(QStringLiteral("size"), size);
    settings.setValue(QStringLiteral("sessions"), sessions);
}

SettingsDialog::SettingsDialog(const Preferences& preferences, const QStringList& devices, QWidget* parent)
    : QDialog(parent), preferences_(preferences) {
    setWindowTitle(tr("Settings"));
    setMinimumWidth(460);
    auto* scheme = new QComboBox(this);
    scheme->addItems({tr("As the system"), tr("Light"), tr("Dark")});
    scheme->setCurrentIndex(static_cast<int>(preferences.scheme));
    auto* map = new QComboBox(this);
    map->addItems({tr("cividis"), tr("viridis")});
    map->setCurrentIndex(preferences.amounts == figure::Map::viridis ? 1 : 0);
    auto* size = new QComboBox(this);
    for (const int percent : sizes)
        size->addItem(tr("%1 %").arg(percent), percent);
    size->setCurrentIndex(std::max(0, size->findData(preferences.size)));
    auto* device = new QComboBox(this);
    device->addItems(devices);
    if (device->findText(preferences.device) < 0) device->addItem(preferences.device);
    device->setCurrentText(preferences.device);
    auto* precision = new QComboBox(this);
    precision->addItems({tr("exact"), tr("mixed")});
    precision->setCurrentIndex(preferences.precision == backend::Precision::mixed ? 1 : 0);
    auto* threads = new QSpinBox(this);
    threads->setRange(0, 1024);
    threads->setSpecialValueText(tr("all cores (%1)").arg(QThread::idealThreadCount()));
    threads->setValue(preferences.threads);
    auto* folder = new QLineEdit(preferences.sessions, this);
    auto* browse = new QPushButton(tr("Choose…"), this);
    auto* folder_row = new QHBoxLayout;
    folder_row->addWidget(folder, 1);
    folder_row->addWidget(browse);
    auto* note = new QLabel(tr("Appearance and colours change at once; device, precision and threads count "
                               "from the next model on, size and folder from the next start."),
                            this);
    note->setWordWrap(true);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
    auto* form = new QFormLayout(this);
    form->addRow(tr("Appearance"), scheme);
    form->addRow(tr("Colours of amounts"), map);
    form->addRow(tr("Size of everything"), size);
    form->addRow(tr("Device"), device);
    form->addRow(tr("Precision"), precision);
    form->addRow(tr("Threads"), threads);
    form->addRow(tr("Folder of sessions"), folder_row);
    form->addRow(note);
    form->addRow(buttons);
    const auto tell = [=, this] {
        preferences_.scheme = static_cast<Scheme>(scheme->currentIndex());
        preferences_.amounts = map->currentIndex() == 1 ? figure::Map::viridis : figure::Map::cividis;
        preferences_.size = size->currentData().toInt();
        preferences_.device = device->currentText();
        preferences_.precision =
            precision->currentIndex() == 1 ? backend::Precision::mixed : backend::Precision::exact;
        preferences_.threads = threads->value();
        preferences_.sessions = folder->text();
        emit changed(preferences_);
    };
    for (QComboBox* box : {scheme, map, size, device, precision})
        connect(box, &QComboBox::currentIndexChanged, this, tell);
    connect(threads, &QSpinBox::valueChanged, this, tell);
    connect(folder, &QLineEdit::editingFinished, this, tell);
    connect(browse, &QPushButton::clicked, this, [this, folder, tell] {
        const QString chosen =
            QFileDialog::getExistingDirectory(this, tr("Folder of sessions"), folder->text());
        if (chosen.isEmpty()) return;
        folder->setText(chosen);
        tell();
    });
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::accept);
}

} // namespace vitrine::window
