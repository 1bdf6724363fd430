################################################################################
## Form generated from reading UI file 'design.ui'
##
## Created by: Qt User Interface Compiler version 6.11.3
##
## WARNING! All changes made in this file will be lost when recompiling UI file!
################################################################################

from PySide6.QtCore import QCoreApplication, QMetaObject, QSize, Qt
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QMenu,
    QMenuBar,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)


class Ui_MainWindow:
    def setupUi(self, MainWindow):
        if not MainWindow.objectName():
            MainWindow.setObjectName("MainWindow")
        MainWindow.resize(560, 680)
        MainWindow.setAcceptDrops(True)
        self.actionOpenFolder = QAction(MainWindow)
        self.actionOpenFolder.setObjectName("actionOpenFolder")
        self.actionOpenFolder.setShortcut("Ctrl+O")
        self.actionClassify = QAction(MainWindow)
        self.actionClassify.setObjectName("actionClassify")
        self.actionClassify.setShortcut("Ctrl+Return")
        self.actionCancel = QAction(MainWindow)
        self.actionCancel.setObjectName("actionCancel")
        self.actionCancel.setEnabled(False)
        self.actionCancel.setShortcut("Esc")
        self.actionUndo = QAction(MainWindow)
        self.actionUndo.setObjectName("actionUndo")
        self.actionUndo.setEnabled(False)
        self.actionUndo.setShortcut("Ctrl+Z")
        self.actionQuit = QAction(MainWindow)
        self.actionQuit.setObjectName("actionQuit")
        self.actionQuit.setShortcut("Ctrl+Q")
        self.actionQuit.setMenuRole(QAction.MenuRole.QuitRole)
        self.actionSubfolders = QAction(MainWindow)
        self.actionSubfolders.setObjectName("actionSubfolders")
        self.actionSubfolders.setCheckable(True)
        self.actionSubfolders.setShortcut("Ctrl+R")
        self.actionPreview = QAction(MainWindow)
        self.actionPreview.setObjectName("actionPreview")
        self.actionPreview.setCheckable(True)
        self.actionPreview.setShortcut("Ctrl+P")
        self.actionLearn = QAction(MainWindow)
        self.actionLearn.setObjectName("actionLearn")
        self.actionLearn.setShortcut("Ctrl+L")
        self.copyOrMove = QActionGroup(MainWindow)
        self.copyOrMove.setObjectName("copyOrMove")
        self.actionCopy = QAction(self.copyOrMove)
        self.actionCopy.setObjectName("actionCopy")
        self.actionCopy.setCheckable(True)
        self.actionMove = QAction(self.copyOrMove)
        self.actionMove.setObjectName("actionMove")
        self.actionMove.setCheckable(True)
        self.modelChoice = QActionGroup(MainWindow)
        self.modelChoice.setObjectName("modelChoice")
        self.actionShippedModel = QAction(self.modelChoice)
        self.actionShippedModel.setObjectName("actionShippedModel")
        self.actionShippedModel.setCheckable(True)
        self.actionOwnModel = QAction(self.modelChoice)
        self.actionOwnModel.setObjectName("actionOwnModel")
        self.actionOwnModel.setCheckable(True)
        self.centralwidget = QWidget(MainWindow)
        self.centralwidget.setObjectName("centralwidget")
        self.verticalLayout = QVBoxLayout(self.centralwidget)
        self.verticalLayout.setSpacing(10)
        self.verticalLayout.setObjectName("verticalLayout")
        self.verticalLayout.setContentsMargins(14, 14, 14, 14)
        self.horizontalLayout = QHBoxLayout()
        self.horizontalLayout.setSpacing(10)
        self.horizontalLayout.setObjectName("horizontalLayout")
        self.btnOpenFolder = QPushButton(self.centralwidget)
        self.btnOpenFolder.setObjectName("btnOpenFolder")
        self.btnOpenFolder.setMinimumSize(QSize(0, 36))

        self.horizontalLayout.addWidget(self.btnOpenFolder)

        self.btnClassification = QPushButton(self.centralwidget)
        self.btnClassification.setObjectName("btnClassification")
        self.btnClassification.setMinimumSize(QSize(0, 36))

        self.horizontalLayout.addWidget(self.btnClassification)

        self.verticalLayout.addLayout(self.horizontalLayout)

        self.linePath = QLineEdit(self.centralwidget)
        self.linePath.setObjectName("linePath")
        self.linePath.setReadOnly(True)

        self.verticalLayout.addWidget(self.linePath)

        self.listFolder = QListView(self.centralwidget)
        self.listFolder.setObjectName("listFolder")
        self.listFolder.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.listFolder.setIconSize(QSize(48, 48))
        self.listFolder.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.listFolder.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.listFolder.setUniformItemSizes(True)

        self.verticalLayout.addWidget(self.listFolder)

        self.label = QLabel(self.centralwidget)
        self.label.setObjectName("label")
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setWordWrap(True)

        self.verticalLayout.addWidget(self.label)

        self.processBar = QProgressBar(self.centralwidget)
        self.processBar.setObjectName("processBar")
        self.processBar.setValue(0)

        self.verticalLayout.addWidget(self.processBar)

        MainWindow.setCentralWidget(self.centralwidget)
        self.menubar = QMenuBar(MainWindow)
        self.menubar.setObjectName("menubar")
        self.menuFolder = QMenu(self.menubar)
        self.menuFolder.setObjectName("menuFolder")
        self.menuOptions = QMenu(self.menubar)
        self.menuOptions.setObjectName("menuOptions")
        self.menuCertainty = QMenu(self.menuOptions)
        self.menuCertainty.setObjectName("menuCertainty")
        self.menuModel = QMenu(self.menubar)
        self.menuModel.setObjectName("menuModel")
        MainWindow.setMenuBar(self.menubar)
        QWidget.setTabOrder(self.btnOpenFolder, self.btnClassification)
        QWidget.setTabOrder(self.btnClassification, self.linePath)
        QWidget.setTabOrder(self.linePath, self.listFolder)

        self.menubar.addAction(self.menuFolder.menuAction())
        self.menubar.addAction(self.menuOptions.menuAction())
        self.menubar.addAction(self.menuModel.menuAction())
        self.menuFolder.addAction(self.actionOpenFolder)
        self.menuFolder.addAction(self.actionClassify)
        self.menuFolder.addAction(self.actionCancel)
        self.menuFolder.addSeparator()
        self.menuFolder.addAction(self.actionUndo)
        self.menuFolder.addSeparator()
        self.menuFolder.addAction(self.actionQuit)
        self.menuOptions.addAction(self.actionCopy)
        self.menuOptions.addAction(self.actionMove)
        self.menuOptions.addSeparator()
        self.menuOptions.addAction(self.actionSubfolders)
        self.menuOptions.addAction(self.actionPreview)
        self.menuOptions.addSeparator()
        self.menuOptions.addAction(self.menuCertainty.menuAction())
        self.menuModel.addAction(self.actionShippedModel)
        self.menuModel.addAction(self.actionOwnModel)
        self.menuModel.addSeparator()
        self.menuModel.addAction(self.actionLearn)

        self.retranslateUi(MainWindow)

        QMetaObject.connectSlotsByName(MainWindow)

    # setupUi

    def retranslateUi(self, MainWindow):
        MainWindow.setWindowTitle(
            QCoreApplication.translate("MainWindow", "minicnn: sort photos", None)
        )
        self.actionOpenFolder.setText(
            QCoreApplication.translate("MainWindow", "&Open folder\u2026", None)
        )
        self.actionClassify.setText(QCoreApplication.translate("MainWindow", "&Classify", None))
        self.actionCancel.setText(QCoreApplication.translate("MainWindow", "C&ancel", None))
        self.actionUndo.setText(QCoreApplication.translate("MainWindow", "&Undo last sort", None))
        self.actionQuit.setText(QCoreApplication.translate("MainWindow", "&Quit", None))
        self.actionSubfolders.setText(
            QCoreApplication.translate("MainWindow", "Include &sub-folders", None)
        )
        self.actionPreview.setText(
            QCoreApplication.translate("MainWindow", "&Preview before sorting", None)
        )
        self.actionLearn.setText(
            QCoreApplication.translate("MainWindow", "&Learn from sorted folders\u2026", None)
        )
        self.actionCopy.setText(QCoreApplication.translate("MainWindow", "&Copy photos", None))
        self.actionMove.setText(QCoreApplication.translate("MainWindow", "&Move photos", None))
        self.actionShippedModel.setText(
            QCoreApplication.translate("MainWindow", "&The model that comes with minicnn", None)
        )
        self.actionOwnModel.setText(
            QCoreApplication.translate("MainWindow", "A model of &your own\u2026", None)
        )
        self.btnOpenFolder.setText(QCoreApplication.translate("MainWindow", "Open folder", None))
        self.btnClassification.setText(QCoreApplication.translate("MainWindow", "Classify", None))
        self.linePath.setAccessibleName(
            QCoreApplication.translate("MainWindow", "Path of the folder", None)
        )
        self.listFolder.setAccessibleName(
            QCoreApplication.translate("MainWindow", "Images of the folder", None)
        )
        self.label.setText(
            QCoreApplication.translate("MainWindow", "Open a folder for image classification", None)
        )
        self.processBar.setAccessibleName(
            QCoreApplication.translate("MainWindow", "Sorted images in percent", None)
        )
        self.menuFolder.setTitle(QCoreApplication.translate("MainWindow", "&Folder", None))
        self.menuOptions.setTitle(QCoreApplication.translate("MainWindow", "O&ptions", None))
        self.menuCertainty.setTitle(
            QCoreApplication.translate("MainWindow", "Certainty &needed", None)
        )
        self.menuModel.setTitle(QCoreApplication.translate("MainWindow", "&Model", None))

    # retranslateUi
